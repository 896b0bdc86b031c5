# From whole-slide images to the pN stage of each patient.


rule pathology:
    """All results of the pathology study."""
    input:
        "results/pn_stage.csv",
        "results/metrics/pathology.json",
        STUDY_RESULTS,
        expand("results/pathology/manifests/{strategy}.counts.png", strategy=STRATEGIES),


rule mask_tissue:
    """Find the tissue of a slide."""
    input:
        slide=slide_path,
        code=code("pathology/mask_tissue"),
    output:
        mask="results/pathology/tissue/{slide}.tif",
        picture="results/pathology/tissue/{slide}.jpg",
    log:
        "logs/mask_tissue/{slide}.log",
    benchmark:
        "logs/benchmarks/mask_tissue/{slide}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("pathology.tissue", "pathology.fallback_um_px"),
    script:
        "../workflow_scripts/pathology/mask_tissue.py"


rule mask_tumour:
    """Turn the outlines of an annotated slide into a mask."""
    input:
        slide=slide_path,
        annotation=annotation_path,
        tissue="results/pathology/tissue/{slide}.tif",
        code=code("pathology/mask_tumour"),
    output:
        mask="results/pathology/tumour/{slide}.tif",
        picture="results/pathology/tumour/{slide}.jpg",
    log:
        "logs/mask_tumour/{slide}.log",
    benchmark:
        "logs/benchmarks/mask_tumour/{slide}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("pathology.tissue.um_px", "pathology.annotation_groups", "pathology.fallback_um_px"),
    script:
        "../workflow_scripts/pathology/mask_tumour.py"


rule grid_patches:
    """List the patches of a slide with their share of tissue and tumour, and their label."""
    input:
        slide=slide_path,
        tissue="results/pathology/tissue/{slide}.tif",
        tumour=tumour_mask_if_annotated,
        code=code("pathology/grid_patches"),
    output:
        grid="results/pathology/patches/{slide}.parquet",
    log:
        "logs/grid_patches/{slide}.log",
    benchmark:
        "logs/benchmarks/grid_patches/{slide}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("pathology.patches", "pathology.fallback_um_px"),
        row=slide_row("slide", "label", "annotation"),
    script:
        "../workflow_scripts/pathology/grid_patches.py"


rule balance_patches:
    """Draw the patches that the network trains on, and count them before and after."""
    input:
        grids=expand("results/pathology/patches/{slide}.parquet", slide=slides_of("train_network")),
        tissue=expand("results/pathology/tissue/{slide}.tif", slide=annotated(slides_of("train_network"))),
        tumour=expand("results/pathology/tumour/{slide}.tif", slide=annotated(slides_of("train_network"))),
        code=code("pathology/balance_patches"),
    output:
        manifest="results/pathology/manifests/{strategy}.parquet",
        counts="results/pathology/manifests/{strategy}.counts.csv",
        figure="results/pathology/manifests/{strategy}.counts.png",
    log:
        "logs/balance_patches/{strategy}.log",
    benchmark:
        "logs/benchmarks/balance_patches/{strategy}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        row=wildcards_row,
        slides=annotated(slides_of("train_network")),
    script:
        "../workflow_scripts/pathology/balance_patches.py"


rule train_classifier:
    """Train the network that tells tumour patches from normal ones."""
    input:
        manifest="results/pathology/manifests/{strategy}.parquet",
        slides=slide_paths(slides_of("train_network", "train_staging")),
        validation=expand(
            "results/pathology/patches/{slide}.parquet", slide=slides_of("train_staging", labelled=True)
        ),
        weights=pretrained_weights,
        code=code("pathology/train_classifier"),
    output:
        weights="results/pathology/models/{strategy}_{repetition}.safetensors",
        card="results/pathology/models/{strategy}_{repetition}.json",
        history="results/pathology/models/{strategy}_{repetition}.history.csv",
        figure="results/pathology/models/{strategy}_{repetition}.history.png",
    log:
        "logs/train_classifier/{strategy}_{repetition}.log",
    benchmark:
        "logs/benchmarks/train_classifier/{strategy}_{repetition}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: NETWORK_THREADS
    resources:
        gpu=1,
    params:
        cfg=settings(
            "seed",
            "torch_threads",
            "pathology.network",
            "pathology.training",
            "pathology.fallback_um_px",
        ),
        row=wildcards_row,
        slides=slides_of("train_network", "train_staging"),
    script:
        "../workflow_scripts/pathology/train_classifier.py"


rule score_patches:
    """Score patches of the test patients, with the network and with a threshold on colour."""
    input:
        weights=MAIN_MODEL,
        card=MAIN_MODEL_CARD,
        manifest="results/pathology/manifests/{}.parquet".format(MAIN_STRATEGY),
        grids=expand("results/pathology/patches/{slide}.parquet", slide=slides_of("test", labelled=True)),
        slides=slide_paths(slides_of("train_network", "test")),
        code=code("pathology/score_patches"),
    output:
        scores="results/pathology/patch_scores.parquet",
    log:
        "logs/score_patches.log",
    benchmark:
        "logs/benchmarks/score_patches.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: NETWORK_THREADS
    resources:
        gpu=1,
    params:
        cfg=settings(
            "seed",
            "torch_threads",
            "pathology.training.memory_gb",
            "pathology.evaluation.patches_per_slide",
            "pathology.fallback_um_px",
        ),
        slides=slides_of("train_network", "test"),
    script:
        "../workflow_scripts/pathology/score_patches.py"


# A job maps many small slides, so that torch is imported once; large slides have a job each.
for number, members in in_jobs(list(SLIDES.index), config["pathology"]["heatmaps"]["slides_per_job"]).items():

    rule:
        name:
            f"map_probabilities_{number}"
        input:
            weights=MAIN_MODEL,
            card=MAIN_MODEL_CARD,
            slides=slide_paths(members),
            tissue=expand("results/pathology/tissue/{slide}.tif", slide=members),
            code=code("pathology/map_probabilities"),
        output:
            heatmaps=expand("results/pathology/heatmaps/{slide}.tif", slide=members),
            overlays=expand("results/pathology/heatmaps/{slide}.jpg", slide=members),
        log:
            f"logs/map_probabilities/{number}.log",
        benchmark:
            f"logs/benchmarks/map_probabilities/{number}.tsv"
        conda:
            "../envs/gpu.yaml"
        threads: NETWORK_THREADS
        resources:
            gpu=1,
        params:
            cfg=HEATMAP_SETTINGS,
            slides=members,
        script:
            "../workflow_scripts/pathology/map_probabilities.py"


rule extract_features:
    """Describe each heatmap by the 11 features of the thesis."""
    input:
        heatmaps=expand("results/pathology/heatmaps/{slide}.tif", slide=SLIDES.index),
        code=code("pathology/extract_features"),
    output:
        features="results/pathology/features.csv",
    log:
        "logs/extract_features.log",
    benchmark:
        "logs/benchmarks/extract_features.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("pathology.lesions"),
        slides=list(SLIDES.index),
    script:
        "../workflow_scripts/pathology/extract_features.py"


rule classify_slides:
    """Learn the class of a slide from its features, and predict it for every slide."""
    input:
        features="results/pathology/features.csv",
        sheet=SLIDE_SHEET,
        code=code("pathology/classify_slides"),
    output:
        classes="results/pathology/slide_classes.csv",
        forest="results/pathology/models/forest.skops",
    log:
        "logs/classify_slides.log",
    benchmark:
        "logs/benchmarks/classify_slides.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "pathology.staging", "pathology.lesions"),
    script:
        "../workflow_scripts/pathology/classify_slides.py"


rule stage_patients:
    """Combine the slide classes of each patient into the pN stage."""
    input:
        classes="results/pathology/slide_classes.csv",
        code=code("pathology/stage_patients"),
    output:
        stages="results/pn_stage.csv",
    log:
        "logs/stage_patients.log",
    benchmark:
        "logs/benchmarks/stage_patients.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/pathology/stage_patients.py"


rule evaluate_pathology:
    """Measure stages, slide classes, patches and outlines against the truth and against trivial predictors."""
    input:
        classes="results/pathology/slide_classes.csv",
        scores="results/pathology/patch_scores.parquet",
        heatmaps=expand("results/pathology/heatmaps/{slide}.tif", slide=annotated(SLIDES.index)),
        tumour=expand("results/pathology/tumour/{slide}.tif", slide=annotated(SLIDES.index)),
        code=code("pathology/evaluate_pathology"),
    output:
        metrics="results/metrics/pathology.json",
        table="results/pathology/metrics.csv",
        jaccard="results/pathology/jaccard.csv",
        stages="results/pathology/confusion_stages.png",
        slides="results/pathology/confusion_slides.png",
    log:
        "logs/evaluate_pathology.log",
    benchmark:
        "logs/benchmarks/evaluate_pathology.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "pathology.evaluation"),
        slides=sheet_rows(annotated(SLIDES.index)),
    script:
        "../workflow_scripts/pathology/evaluate_pathology.py"


rule measure_balancing:
    """Map the slides of the balancing study with one network, and measure the overlap with the truth."""
    input:
        weights="results/pathology/models/{strategy}_{repetition}.safetensors",
        card="results/pathology/models/{strategy}_{repetition}.json",
        slides=slide_paths(STUDY_SLIDES),
        tissue=expand("results/pathology/tissue/{slide}.tif", slide=STUDY_SLIDES),
        tumour=expand("results/pathology/tumour/{slide}.tif", slide=STUDY_SLIDES),
        code=code("pathology/measure_balancing"),
    output:
        heatmaps=expand(
            "results/pathology/balancing/{{strategy}}_{{repetition}}/{slide}.tif", slide=STUDY_SLIDES
        ),
        overlays=expand(
            "results/pathology/balancing/{{strategy}}_{{repetition}}/{slide}.jpg", slide=STUDY_SLIDES
        ),
        jaccard="results/pathology/balancing/{strategy}_{repetition}.csv",
    log:
        "logs/measure_balancing/{strategy}_{repetition}.log",
    benchmark:
        "logs/benchmarks/measure_balancing/{strategy}_{repetition}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: NETWORK_THREADS
    resources:
        gpu=1,
    params:
        cfg=HEATMAP_SETTINGS | settings("pathology.evaluation.jaccard_threshold"),
        row=wildcards_row,
        slides=sheet_rows(STUDY_SLIDES),
    script:
        "../workflow_scripts/pathology/measure_balancing.py"


rule compare_balancing:
    """Put the three ways of balancing side by side, as Table 2.4 of the thesis does."""
    input:
        runs=expand(
            "results/pathology/balancing/{strategy}_{repetition}.csv",
            strategy=STRATEGIES,
            repetition=range(config["pathology"]["balancing_study"]["repetitions"]),
        ),
        sheet=SLIDE_SHEET,
        code=code("pathology/compare_balancing"),
    output:
        table="results/pathology/balancing_study.csv",
        figure="results/pathology/balancing_study.png",
    log:
        "logs/compare_balancing.log",
    benchmark:
        "logs/benchmarks/compare_balancing.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/pathology/compare_balancing.py"
