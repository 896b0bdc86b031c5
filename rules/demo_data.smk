# Demo data in the layout of the real data sets. Every slide depends on its row of the sheet and the seed.


rule draw_demo_slide:
    """Paint one slide of a lymph node."""
    input:
        code=code("demo_data/draw_demo_slide"),
    output:
        slide=f"{DEMO}/camelyon17/images/{{slide}}.tif",
    log:
        "logs/draw_demo_slide/{slide}.log",
    benchmark:
        "logs/benchmarks/draw_demo_slide/{slide}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=slide_row("slide", "centre", "label"),
    script:
        "../workflow_scripts/demo_data/draw_demo_slide.py"


rule annotate_demo_slide:
    """Write the outlines of a demo slide's lesions as ASAP XML."""
    input:
        code=code("demo_data/annotate_demo_slide"),
    output:
        annotation=f"{DEMO}/camelyon17/annotations/{{slide}}.xml",
    log:
        "logs/annotate_demo_slide/{slide}.log",
    benchmark:
        "logs/benchmarks/annotate_demo_slide/{slide}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=slide_row("slide", "centre", "label"),
    script:
        "../workflow_scripts/demo_data/annotate_demo_slide.py"


rule label_demo_slides:
    """Write the labels of slides and patients as CAMELYON17 does."""
    input:
        sheet=SLIDE_SHEET,
        code=code("demo_data/label_demo_slides"),
    output:
        labels=f"{DEMO}/camelyon17/stage_labels.csv",
    log:
        "logs/label_demo_slides.log",
    benchmark:
        "logs/benchmarks/label_demo_slides.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/demo_data/label_demo_slides.py"


rule draw_demo_ct:
    """Paint the CT of one patient."""
    input:
        code=code("demo_data/draw_demo_ct"),
    output:
        image=f"{DEMO}/ct/{{size}}px_{{slices}}slices/{{patient}}.nii.gz",
    log:
        "logs/draw_demo_ct/{size}px_{slices}slices_{patient}.log",
    benchmark:
        "logs/benchmarks/draw_demo_ct/{size}px_{slices}slices_{patient}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=wildcards_row,
    script:
        "../workflow_scripts/demo_data/draw_demo_ct.py"


rule draw_demo_case:
    """Paint the CT of one patient with a tumour of the kidney, and its labels."""
    input:
        code=code("demo_data/draw_demo_case"),
    output:
        imaging=f"{DEMO}/kits19/{{size}}px/{{case}}/imaging.nii.gz",
        segmentation=f"{DEMO}/kits19/{{size}}px/{{case}}/segmentation.nii.gz",
    log:
        "logs/draw_demo_case/{size}px_{case}.log",
    benchmark:
        "logs/benchmarks/draw_demo_case/{size}px_{case}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=wildcards_row,
    script:
        "../workflow_scripts/demo_data/draw_demo_case.py"


rule describe_demo_cases:
    """Write what KiTS19's kits.json says of the demo patients."""
    input:
        code=code("demo_data/describe_demo_cases"),
    output:
        clinical=f"{DEMO}/kits19/{{size}}px/kits.json",
    log:
        "logs/describe_demo_cases/{size}px.log",
    benchmark:
        "logs/benchmarks/describe_demo_cases/{size}px.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=wildcards_row,
        cases=list(CASES.index),
    script:
        "../workflow_scripts/demo_data/describe_demo_cases.py"


for number, members in in_jobs(demo_scans("brain_mri"), 80).items():

    rule:
        """Paint brain MR images."""
        name:
            f"draw_demo_brains_{number}"
        input:
            code=code("demo_data/draw_demo_brains"),
        output:
            images=members,
        log:
            f"logs/draw_demo_brains/{number}.log",
        benchmark:
            f"logs/benchmarks/draw_demo_brains/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            cfg=settings("seed"),
        script:
            "../workflow_scripts/demo_data/draw_demo_brains.py"


for number, members in in_jobs(demo_scans("breast_ultrasound"), 80).items():

    rule:
        """Paint breast ultrasound images with the masks of their lesions."""
        name:
            f"draw_demo_breasts_{number}"
        input:
            code=code("demo_data/draw_demo_breasts"),
        output:
            images=members,
            masks=masks_of_demo(members),
        log:
            f"logs/draw_demo_breasts/{number}.log",
        benchmark:
            f"logs/benchmarks/draw_demo_breasts/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            cfg=settings("seed"),
        script:
            "../workflow_scripts/demo_data/draw_demo_breasts.py"


for number, members in in_jobs(demo_subjects(), 30).items():

    rule:
        """Paint T1 and FLAIR volumes of heads."""
        name:
            f"draw_demo_subjects_{number}"
        input:
            code=code("demo_data/draw_demo_subjects"),
        output:
            t1=SUBJECTS.loc[members, "t1"].tolist(),
            flair=SUBJECTS.loc[members, "flair"].tolist(),
        log:
            f"logs/draw_demo_subjects/{number}.log",
        benchmark:
            f"logs/benchmarks/draw_demo_subjects/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            cfg=settings("seed"),
            rows=SUBJECTS.loc[members, ["subject", "class"]].to_dict("list"),
        script:
            "../workflow_scripts/demo_data/draw_demo_subjects.py"
