# From CT volumes of KiTS19 to kidneys and tumours in them, by all networks of the comparison.


rule kits19:
    """The comparison of networks."""
    input:
        "results/metrics/kits19.json",
        "results/kits19/comparison.csv",
        "results/kits19/comparison.cost.csv",
        "results/kits19/label_damage.csv",
        "results/kits19/figures/comparison.png",
        "results/kits19/figures/case.png",


for number, members in in_jobs(
    cases_of("train", "validation", "test", labelled=False), config["kits19"]["cases_per_job"]
).items():

    rule:
        """Read, check, window and resize cases."""
        name:
            f"prepare_cases_{number}"
        input:
            imaging=case_column("imaging", members),
            segmentations=case_column("segmentation", members),
            code=code("kits19/prepare_cases"),
        output:
            cases=prepared(members),
        log:
            f"logs/prepare_cases/{number}.log",
        benchmark:
            f"logs/benchmarks/prepare_cases/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            cfg=settings("kits19.prepare"),
            rows=case_rows(members, "case", "imaging", "segmentation"),
        script:
            "../workflow_scripts/kits19/prepare_cases.py"


rule measure_label_damage:
    """Measure what resizing does to labels."""
    input:
        segmentations=case_column("segmentation", cases_of("train", "validation", "test")),
        code=code("kits19/measure_label_damage"),
    output:
        summary="results/kits19/label_damage.csv",
        cases="results/kits19/label_damage.cases.csv",
    log:
        "logs/measure_label_damage.log",
    benchmark:
        "logs/benchmarks/measure_label_damage.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("kits19.damage_sizes_px"),
        cases=cases_of("train", "validation", "test"),
    script:
        "../workflow_scripts/kits19/measure_label_damage.py"


rule balance_slices:
    """Choose the slices and blocks that networks are trained on, and the weights of their classes."""
    input:
        cases=sampled_cases,
        code=code("kits19/balance_slices"),
    output:
        slices="results/kits19/samples/{samples}/slices.csv",
        blocks="results/kits19/samples/{samples}/blocks.csv",
        weights="results/kits19/samples/{samples}/weights.json",
    log:
        "logs/balance_slices/{samples}.log",
    benchmark:
        "logs/benchmarks/balance_slices/{samples}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=lambda wildcards: settings("seed") | {"balancing": SAMPLES[wildcards.samples]},
    script:
        "../workflow_scripts/kits19/balance_slices.py"


rule train_generator:
    """Train a network to draw new slices with labels."""
    input:
        train="results/kits19/samples/train/slices.csv",
        cases=prepared(cases_of("train")),
        code=code("kits19/train_generator"),
    output:
        weights="results/kits19/generated/generator.safetensors",
        card="results/kits19/generated/generator.json",
    log:
        "logs/train_generator.log",
    benchmark:
        "logs/benchmarks/train_generator.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads", "kits19.loading"),
        training=config["kits19"]["generator"]["training"],
    script:
        "../workflow_scripts/kits19/train_generator.py"


rule generate_slices:
    """Draw new slices with labels, in the form of a prepared case."""
    input:
        weights="results/kits19/generated/generator.safetensors",
        card="results/kits19/generated/generator.json",
        code=code("kits19/generate_slices"),
    output:
        slices="results/kits19/generated/slices.h5",
        table="results/kits19/generated/slices.csv",
    log:
        "logs/generate_slices.log",
    benchmark:
        "logs/benchmarks/generate_slices.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads"),
        slices=config["kits19"]["generator"]["slices"],
    script:
        "../workflow_scripts/kits19/generate_slices.py"


rule train_segmenter:
    """Train a network to find kidneys and tumours."""
    input:
        unpack(training_files),
        code=code("kits19/train_segmenter"),
    output:
        weights="results/kits19/models/{training}_{seed}.safetensors",
        card="results/kits19/models/{training}_{seed}.json",
    log:
        "logs/train_segmenter/{training}_{seed}.log",
    benchmark:
        "logs/benchmarks/train_segmenter/{training}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("seed", "torch_threads", "kits19.loading"),
        training=lambda wildcards: TRAININGS[wildcards.training].settings,
        row=wildcards_row,
    script:
        "../workflow_scripts/kits19/train_segmenter.py"


rule predict_cases:
    """Label every voxel of the test cases, on the grid of their imaging."""
    input:
        weights="results/kits19/models/{training}_{seed}.safetensors",
        card="results/kits19/models/{training}_{seed}.json",
        cases=prepared(cases_of("test", labelled=False)),
        imaging=case_column("imaging", cases_of("test", labelled=False)),
        code=code("kits19/predict_cases"),
    output:
        predictions=predictions("{training}", "{seed}", cases_of("test", labelled=False)),
        cost="results/kits19/predictions/{training}_{seed}.cost.csv",
    log:
        "logs/predict_cases/{training}_{seed}.log",
    benchmark:
        "logs/benchmarks/predict_cases/{training}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads", "kits19.prediction"),
    script:
        "../workflow_scripts/kits19/predict_cases.py"


rule score_cases:
    """Score the predictions of one network against the segmentations of the test cases."""
    input:
        predictions=predictions("{training}", "{seed}", cases_of("test")),
        segmentations=case_column("segmentation", cases_of("test")),
        code=code("kits19/score_cases"),
    output:
        scores="results/kits19/scores/{training}_{seed}.csv",
    log:
        "logs/score_cases/{training}_{seed}.log",
    benchmark:
        "logs/benchmarks/score_cases/{training}_{seed}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("kits19.evaluation.tolerances_mm"),
        cases=cases_of("test"),
    script:
        "../workflow_scripts/kits19/score_cases.py"


rule score_floors:
    """Score predictors that know nothing against the segmentations of the test cases."""
    input:
        segmentations=case_column("segmentation", cases_of("test")),
        code=code("kits19/score_floors"),
    output:
        scores="results/kits19/scores/floors.csv",
    log:
        "logs/score_floors.log",
    benchmark:
        "logs/benchmarks/score_floors.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("kits19.evaluation.tolerances_mm"),
        cases=cases_of("test"),
    script:
        "../workflow_scripts/kits19/score_floors.py"


rule compare_segmenters:
    """Put the networks side by side, with the floors below and the thesis's numbers beside."""
    input:
        cards=files_of_runs("models/{network}_{seed}.json", NETWORKS),
        scores=files_of_runs("scores/{network}_{seed}.csv", NETWORKS),
        floors="results/kits19/scores/floors.csv",
        weights="results/kits19/samples/train/weights.json",
        code=code("kits19/compare_segmenters"),
    output:
        metrics="results/metrics/kits19.json",
        table="results/kits19/comparison.csv",
        tumours="results/kits19/comparison.tumours.csv",
        bands="results/kits19/comparison.tumour_bands.csv",
        histories="results/kits19/comparison.histories.csv",
    log:
        "logs/compare_segmenters.log",
    benchmark:
        "logs/benchmarks/compare_segmenters.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "kits19.evaluation.bootstrap_samples", "kits19.evaluation.tumour_bands_ml"),
        runs=runs_of(NETWORKS),
    script:
        "../workflow_scripts/kits19/compare_segmenters.py"


rule measure_segmenters:
    """Tabulate training time, memory of a training step and inference time of all networks."""
    input:
        cards=files_of_runs("models/{network}_{seed}.json", NETWORKS),
        weights=files_of_runs("models/{network}_{seed}.safetensors", NETWORKS),
        inferences=files_of_runs("predictions/{network}_{seed}.cost.csv", NETWORKS),
        code=code("kits19/measure_segmenters"),
    output:
        table="results/kits19/comparison.cost.csv",
    log:
        "logs/measure_segmenters.log",
    benchmark:
        "logs/benchmarks/measure_segmenters.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads"),
        runs=runs_of(NETWORKS),
    script:
        "../workflow_scripts/kits19/measure_segmenters.py"


rule draw_comparison:
    """Draw the scores of all networks, Dice by the volume of tumours, and the course of the trainings."""
    input:
        table="results/kits19/comparison.csv",
        tumours="results/kits19/comparison.tumours.csv",
        histories="results/kits19/comparison.histories.csv",
        code=code("kits19/draw_comparison"),
    output:
        comparison="results/kits19/figures/comparison.png",
        volumes="results/kits19/figures/volumes.png",
        trainings="results/kits19/figures/trainings.png",
    log:
        "logs/draw_comparison.log",
    benchmark:
        "logs/benchmarks/draw_comparison.tsv"
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/kits19/draw_comparison.py"


rule draw_cases:
    """Draw what each network finds in a test case, and a tumour that one network loses and another keeps."""
    input:
        imaging=case_column("imaging", cases_of("test")),
        segmentations=case_column("segmentation", cases_of("test")),
        predictions=[path for network in NETWORKS for path in predictions(network, 0, cases_of("test"))],
        code=code("kits19/draw_cases"),
    output:
        case="results/kits19/figures/case.png",
        missed="results/kits19/figures/missed_tumour.png",
    log:
        "logs/draw_cases.log",
    benchmark:
        "logs/benchmarks/draw_cases.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings(
            "kits19.figures.slices", "kits19.figures.missed_by_and_kept_by", "kits19.prepare.window_hu"
        ),
        case=SHOWN_CASE,
        cases=cases_of("test"),
        networks=list(NETWORKS),
    script:
        "../workflow_scripts/kits19/draw_cases.py"


rule compare_variants:
    """Put losses, steps of balancing and other variants of one network side by side."""
    input:
        cards=files_of_runs("models/{network}_{seed}.json", VARIANTS),
        scores=files_of_runs("scores/{network}_{seed}.csv", VARIANTS),
        floors="results/kits19/scores/floors.csv",
        weights="results/kits19/samples/train/weights.json",
        code=code("kits19/compare_variants"),
    output:
        table="results/kits19/study.csv",
        histories="results/kits19/study.histories.csv",
    log:
        "logs/compare_variants.log",
    benchmark:
        "logs/benchmarks/compare_variants.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "kits19.evaluation.bootstrap_samples"),
        runs=runs_of(VARIANTS),
    script:
        "../workflow_scripts/kits19/compare_variants.py"
