# From images of brains and breasts to their classes and tumours, and from brain volumes with scores to classes.


rule scans:
    """Everything that is learned from scans."""
    input:
        "results/metrics/scans.json",
        SCAN_RESULTS,


rule prepare_images:
    """Read all images of a collection with their masks, once, and stretch them to squares."""
    input:
        files=scan_files,
        code=code("scans/prepare_images"),
    output:
        images="results/scans/images/{collection}_{size}px.h5",
    log:
        "logs/prepare_images/{collection}_{size}px.log",
    benchmark:
        "logs/benchmarks/prepare_images/{collection}_{size}px.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    params:
        row=wildcards_row,
        images=lambda wildcards: scan_column(wildcards.collection, "image"),
        paths=lambda wildcards: scan_column(wildcards.collection, "path"),
        masks=lambda wildcards: scan_masks(wildcards.collection),
    script:
        "../workflow_scripts/scans/prepare_images.py"


rule train_image_classifier:
    """Train a network to tell the classes of images, and let it classify all of them."""
    input:
        images=lambda wildcards: prepared_scans(CLASSIFIERS[wildcards.classifier]),
        sheet=lambda wildcards: scan_sheet(CLASSIFIERS[wildcards.classifier]),
        code=code("scans/train_image_classifier"),
    output:
        weights="results/scans/models/{classifier}_{seed}.safetensors",
        card="results/scans/models/{classifier}_{seed}.json",
        predictions="results/scans/predictions/{classifier}_{seed}.csv",
    log:
        "logs/train_image_classifier/{classifier}_{seed}.log",
    benchmark:
        "logs/benchmarks/train_image_classifier/{classifier}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads"),
        training=lambda wildcards: CLASSIFIERS[wildcards.classifier].settings,
        share=lambda wildcards: CLASSIFIERS[wildcards.classifier].share,
        row=wildcards_row,
    script:
        "../workflow_scripts/scans/train_image_classifier.py"


rule classify_conventionally:
    """Fit methods on hand-made features of images, and let them classify all images."""
    input:
        images=[base_images(part["collection"]) for part in [SCANS["architectures"]] if part],
        sheet=[base_sheet(part["collection"]) for part in [SCANS["architectures"]] if part],
        code=code("scans/classify_conventionally"),
    output:
        predictions=files_of_scans("predictions", ".csv", CONVENTIONAL.values()),
    log:
        "logs/classify_conventionally.log",
    benchmark:
        "logs/benchmarks/classify_conventionally.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed"),
        trainings=rows_of(CONVENTIONAL.values()),
    script:
        "../workflow_scripts/scans/classify_conventionally.py"


rule train_mask_segmenter:
    """Train a network to outline tumours, and let it outline those of all images."""
    input:
        images=lambda wildcards: prepared_scans(OUTLINERS[wildcards.outliner]),
        sheet=lambda wildcards: scan_sheet(OUTLINERS[wildcards.outliner]),
        calls=calls_of_classifier,
        masks=lambda wildcards: [path for own in scan_masks(OUTLINED) for path in own],
        code=code("scans/train_mask_segmenter"),
    output:
        weights="results/scans/models/{outliner}_{seed}.safetensors",
        card="results/scans/models/{outliner}_{seed}.json",
        outlines="results/scans/outlines/{outliner}_{seed}.h5",
        scores="results/scans/outlines/{outliner}_{seed}.csv",
    log:
        "logs/train_mask_segmenter/{outliner}_{seed}.log",
    benchmark:
        "logs/benchmarks/train_mask_segmenter/{outliner}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads"),
        training=lambda wildcards: OUTLINERS[wildcards.outliner].settings,
        aided=lambda wildcards: OUTLINERS[wildcards.outliner].aid == scan_trainings.AIDED,
        row=wildcards_row,
    script:
        "../workflow_scripts/scans/train_mask_segmenter.py"


rule evaluate_classification:
    """Score the report's classifier on every collection, where copies are kept apart and where they leak."""
    input:
        predictions=files_of_scans("predictions", ".csv", REPORTED),
        cards=files_of_scans("models", ".json", REPORTED),
        code=code("scans/evaluate_classification"),
    output:
        table="results/scans/classification.csv",
        confusion="results/scans/classification.confusion.csv",
        histories="results/scans/classification.histories.csv",
    log:
        "logs/evaluate_classification.log",
    benchmark:
        "logs/benchmarks/evaluate_classification.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        trainings=rows_of(REPORTED),
    script:
        "../workflow_scripts/scans/evaluate_classification.py"


rule evaluate_segmentation:
    """Score outlines by loss, with and without the classifier's aid, and list whom the aid hurts."""
    input:
        scores=files_of_scans("outlines", ".csv", AIDED_AND_PLAIN),
        cards=files_of_scans("models", ".json", AIDED_AND_PLAIN),
        images=base_images(OUTLINED),
        sheet=base_sheet(OUTLINED),
        code=code("scans/evaluate_segmentation"),
    output:
        table="results/scans/segmentation.csv",
        reported="results/scans/segmentation.reported.csv",
        hurt="results/scans/segmentation.hurt.csv",
        histories="results/scans/segmentation.histories.csv",
    log:
        "logs/evaluate_segmentation.log",
    benchmark:
        "logs/benchmarks/evaluate_segmentation.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        trainings=rows_of(AIDED_AND_PLAIN),
    script:
        "../workflow_scripts/scans/evaluate_segmentation.py"


rule compare_architectures:
    """Put networks and methods on hand-made features side by side, and say what shortcuts and heads bring."""
    input:
        predictions=files_of_scans("predictions", ".csv", COMPARED),
        cards=files_of_scans("models", ".json", COMPARED_NETWORKS),
        code=code("scans/compare_architectures"),
    output:
        table="results/scans/architectures.csv",
        parts="results/scans/architectures.parts.csv",
        histories="results/scans/architectures.histories.csv",
    log:
        "logs/compare_architectures.log",
    benchmark:
        "logs/benchmarks/compare_architectures.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        trainings=rows_of(COMPARED),
        networks=[training.name for training in COMPARED_NETWORKS],
    script:
        "../workflow_scripts/scans/compare_architectures.py"


rule measure_classifiers:
    """Tabulate training time, memory of a training step and inference time of all networks."""
    input:
        cards=files_of_scans("models", ".json", COMPARED_NETWORKS),
        weights=files_of_scans("models", ".safetensors", COMPARED_NETWORKS),
        predictions=files_of_scans("predictions", ".csv", COMPARED),
        code=code("scans/measure_classifiers"),
    output:
        table="results/scans/architectures.cost.csv",
    log:
        "logs/measure_classifiers.log",
    benchmark:
        "logs/benchmarks/measure_classifiers.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads"),
        trainings=rows_of(COMPARED),
        networks=[training.name for training in COMPARED_NETWORKS],
    script:
        "../workflow_scripts/scans/measure_classifiers.py"


rule compare_data_sizes:
    """Tabulate accuracy by the number of training images."""
    input:
        predictions=files_of_scans("predictions", ".csv", BY_SHARE),
        code=code("scans/compare_data_sizes"),
    output:
        table="results/scans/data_sizes.csv",
    log:
        "logs/compare_data_sizes.log",
    benchmark:
        "logs/benchmarks/compare_data_sizes.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        trainings=rows_of(BY_SHARE),
    script:
        "../workflow_scripts/scans/compare_data_sizes.py"


rule compare_image_sizes:
    """Tabulate accuracy and overlap by the size of images."""
    input:
        predictions=files_of_scans("predictions", ".csv", CLASSIFIERS_BY_SIZE),
        scores=files_of_scans("outlines", ".csv", OUTLINERS_BY_SIZE),
        images=[prepared_scans(training) for training in OUTLINERS_BY_SIZE],
        sheet=base_sheet(OUTLINED),
        code=code("scans/compare_image_sizes"),
    output:
        table="results/scans/image_sizes.csv",
    log:
        "logs/compare_image_sizes.log",
    benchmark:
        "logs/benchmarks/compare_image_sizes.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        trainings=rows_of(CLASSIFIERS_BY_SIZE),
        outliners=rows_of(OUTLINERS_BY_SIZE),
    script:
        "../workflow_scripts/scans/compare_image_sizes.py"


for number, members in in_jobs(list(SUBJECTS.index), SUBJECTS_PER_JOB).items():

    rule:
        """Bring the images of subjects upright and onto one grid, and standardise them."""
        name:
            f"prepare_volumes_{number}"
        input:
            images=[path for paths in subject_images(members).values() for path in paths],
            code=code("scans/prepare_volumes"),
        output:
            volumes=prepared_volumes(members),
        log:
            f"logs/prepare_volumes/{number}.log",
        benchmark:
            f"logs/benchmarks/prepare_volumes/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            cfg=settings("scans.volumes.voxel_mm", "scans.volumes.shape"),
            images=subject_images(members),
        script:
            "../workflow_scripts/scans/prepare_volumes.py"


rule choose_subjects:
    """List the subjects whose images and scores can be used, and warn of the others."""
    input:
        sheet=SUBJECT_SHEET,
        schema=repository("schemas/subjects.schema.json"),
        code=code("scans/choose_subjects"),
    output:
        subjects="results/scans/subjects.csv",
    log:
        "logs/choose_subjects.log",
    benchmark:
        "logs/benchmarks/choose_subjects.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        choice=SUBJECT_CHOICE,
        made_by_rules=DEMO,
    script:
        "../workflow_scripts/scans/choose_subjects.py"


rule train_volume_classifier:
    """Train a network on volumes, demographic scores or both, and let it classify all subjects."""
    input:
        subjects="results/scans/subjects.csv",
        volumes=prepared_volumes(SUBJECTS.index),
        code=code("scans/train_volume_classifier"),
    output:
        weights="results/scans/models/volumes_{inputs}_{seed}.safetensors",
        card="results/scans/models/volumes_{inputs}_{seed}.json",
        predictions="results/scans/predictions/volumes_{inputs}_{seed}.csv",
    log:
        "logs/train_volume_classifier/{inputs}_{seed}.log",
    benchmark:
        "logs/benchmarks/train_volume_classifier/{inputs}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads"),
        scores=SUBJECT_CHOICE["scores"],
        training=VOLUME_TRAINING,
        row=wildcards_row,
    script:
        "../workflow_scripts/scans/train_volume_classifier.py"


rule compare_inputs:
    """Tabulate what images tell, what demographic scores tell, and what both do."""
    input:
        predictions=files_of_volumes("predictions", ".csv"),
        code=code("scans/compare_inputs"),
    output:
        table="results/scans/volumes.csv",
    log:
        "logs/compare_inputs.log",
    benchmark:
        "logs/benchmarks/compare_inputs.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "scans.evaluation.bootstrap_samples"),
        runs=VOLUME_RUNS,
    script:
        "../workflow_scripts/scans/compare_inputs.py"


rule evaluate_scans:
    """Put the scores of all parts of the study into one file of flat numbers."""
    input:
        **SCAN_TABLES,
        code=code("scans/evaluate_scans"),
    output:
        metrics="results/metrics/scans.json",
    log:
        "logs/evaluate_scans.log",
    benchmark:
        "logs/benchmarks/evaluate_scans.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        tables=list(SCAN_TABLES),
    script:
        "../workflow_scripts/scans/evaluate_scans.py"


rule draw_classification:
    """Draw the course of the classifier's trainings, and what it takes for what."""
    input:
        histories="results/scans/classification.histories.csv",
        confusion="results/scans/classification.confusion.csv",
        code=code("scans/draw_classification"),
    output:
        trainings="results/scans/figures/classification_trainings.png",
        confusion="results/scans/figures/confusion.png",
    log:
        "logs/draw_classification.log",
    benchmark:
        "logs/benchmarks/draw_classification.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_classification.py"


rule draw_segmentation:
    """Draw the course of the trainings by loss, the overlap with and without aid, and what is outlined."""
    input:
        histories="results/scans/segmentation.histories.csv",
        table="results/scans/segmentation.csv",
        images=base_images(OUTLINED),
        outlines=SHOWN_OUTLINES,
        scores=[path.replace(".h5", ".csv") for path in SHOWN_OUTLINES],
        code=code("scans/draw_segmentation"),
    output:
        trainings="results/scans/figures/segmentation_trainings.png",
        overlap="results/scans/figures/overlap.png",
        outlines="results/scans/figures/outlines.png",
    log:
        "logs/draw_segmentation.log",
    benchmark:
        "logs/benchmarks/draw_segmentation.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_segmentation.py"


rule draw_architectures:
    """Draw accuracy over parameters and operations, and the course of all trainings."""
    input:
        table="results/scans/architectures.csv",
        histories="results/scans/architectures.histories.csv",
        code=code("scans/draw_architectures"),
    output:
        costs="results/scans/figures/architectures.png",
        trainings="results/scans/figures/architecture_trainings.png",
    log:
        "logs/draw_architectures.log",
    benchmark:
        "logs/benchmarks/draw_architectures.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_architectures.py"


rule draw_data_sizes:
    """Draw accuracy over the number of training images."""
    input:
        table="results/scans/data_sizes.csv",
        code=code("scans/draw_data_sizes"),
    output:
        figure="results/scans/figures/data_sizes.png",
    log:
        "logs/draw_data_sizes.log",
    benchmark:
        "logs/benchmarks/draw_data_sizes.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_data_sizes.py"


rule draw_image_sizes:
    """Draw scores over the size of images."""
    input:
        table="results/scans/image_sizes.csv",
        code=code("scans/draw_image_sizes"),
    output:
        figure="results/scans/figures/image_sizes.png",
    log:
        "logs/draw_image_sizes.log",
    benchmark:
        "logs/benchmarks/draw_image_sizes.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_image_sizes.py"


rule draw_ablation:
    """Draw what images and demographic scores tell, each alone and together."""
    input:
        table="results/scans/volumes.csv",
        code=code("scans/draw_ablation"),
    output:
        figure="results/scans/figures/volumes.png",
    log:
        "logs/draw_ablation.log",
    benchmark:
        "logs/benchmarks/draw_ablation.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/scans/draw_ablation.py"
