# From CT images to sparse-view scans, their reconstructions, and the study of growing batches.


rule sparse_ct:
    """All results of the sparse-view CT study."""
    input:
        "results/metrics/sparse_ct.json",
        "results/sparse_ct/figures/views.png",
        "results/sparse_ct/batch_growth.cost.csv",
        GROWTH_FIGURES,


for number, members in in_jobs(list(CT.index), config["sparse_ct"]["images_per_job"]).items():

    rule:
        """Read images, check them, and write them in Hounsfield units."""
        name:
            f"convert_images_{number}"
        input:
            images=ct_paths(members),
            code=code("sparse_ct/convert_images"),
        output:
            images=expand("results/sparse_ct/images/{image}.nii", image=members),
        log:
            f"logs/convert_images/{number}.log",
        benchmark:
            f"logs/benchmarks/convert_images/{number}.tsv"
        conda:
            "../envs/cpu.yaml"
        params:
            rows=ct_rows(members, "image", "path", "hu_low", "hu_high", "pixel_mm"),
        script:
            "../workflow_scripts/sparse_ct/convert_images.py"

    rule:
        """Scan images with few views, and reconstruct them."""
        name:
            f"simulate_views_{number}"
        input:
            images=expand("results/sparse_ct/images/{image}.nii", image=members),
            code=code("sparse_ct/simulate_views"),
        output:
            sinograms=expand("results/sparse_ct/sinograms/{image}_{views}.h5", views=VIEWS, image=members),
            fbp=expand("results/sparse_ct/fbp/{image}_{views}.nii", views=VIEWS, image=members),
        log:
            f"logs/simulate_views/{number}.log",
        benchmark:
            f"logs/benchmarks/simulate_views/{number}.tsv"
        conda:
            "../envs/gpu.yaml"
        params:
            cfg=settings("seed", "torch_threads") | SIMULATION_SETTINGS,
            images=members,
            views=VIEWS,
        script:
            "../workflow_scripts/sparse_ct/simulate_views.py"


rule draw_views:
    """Show one slice as scans with fewer and fewer views see it."""
    input:
        image=f"results/sparse_ct/images/{SHOWN}.nii",
        code=code("sparse_ct/draw_views"),
    output:
        figure="results/sparse_ct/figures/views.png",
    log:
        "logs/draw_views.log",
    benchmark:
        "logs/benchmarks/draw_views.tsv"
    conda:
        "../envs/gpu.yaml"
    params:
        cfg=settings("seed", "torch_threads", "sparse_ct.figures", "sparse_ct.window_hu")
        | SIMULATION_SETTINGS,
    script:
        "../workflow_scripts/sparse_ct/draw_views.py"


rule train_denoiser:
    """Train the network that removes the streaks of scans with so many views."""
    input:
        train=ct_files("fbp/{image}_{{views}}.nii", "train"),
        train_originals=ct_files("images/{image}.nii", "train"),
        validation=ct_files("fbp/{image}_{{views}}.nii", "validation"),
        validation_originals=ct_files("images/{image}.nii", "validation"),
        code=code("sparse_ct/train_denoiser"),
    output:
        weights="results/sparse_ct/models/denoiser_{views}.safetensors",
        card="results/sparse_ct/models/denoiser_{views}.json",
    log:
        "logs/train_denoiser/{views}.log",
    benchmark:
        "logs/benchmarks/train_denoiser/{views}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=DENOISER_SETTINGS,
        row={"sizing": "crop", "output": config["sparse_ct"]["denoiser"]["output"]},
    script:
        "../workflow_scripts/sparse_ct/train_denoiser.py"


rule denoise_images:
    """Remove the streaks from the scans of test patients."""
    input:
        weights="results/sparse_ct/models/denoiser_{views}.safetensors",
        card="results/sparse_ct/models/denoiser_{views}.json",
        fbp=ct_files("fbp/{image}_{{views}}.nii", "test"),
        code=code("sparse_ct/denoise_images"),
    output:
        images=ct_files("denoised/{image}_{{views}}.nii.gz", "test"),
    log:
        "logs/denoise_images/{views}.log",
    benchmark:
        "logs/benchmarks/denoise_images/{views}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads"),
    script:
        "../workflow_scripts/sparse_ct/denoise_images.py"


rule choose_tv_weight:
    """Choose the weight of total variation on the validation patients."""
    input:
        sinograms=ct_files("sinograms/{image}_{{views}}.h5", "validation"),
        fbp=ct_files("fbp/{image}_{{views}}.nii", "validation"),
        originals=ct_files("images/{image}.nii", "validation"),
        code=code("sparse_ct/choose_tv_weight"),
    output:
        table="results/sparse_ct/tv/weights_{views}.csv",
    log:
        "logs/choose_tv_weight/{views}.log",
    benchmark:
        "logs/benchmarks/choose_tv_weight/{views}.tsv"
    conda:
        "../envs/gpu.yaml"
    params:
        cfg=settings("torch_threads", "sparse_ct.total_variation", "sparse_ct.window_hu"),
    script:
        "../workflow_scripts/sparse_ct/choose_tv_weight.py"


rule reconstruct_tv:
    """Reconstruct the scans of test patients with total variation."""
    input:
        sinograms=ct_files("sinograms/{image}_{{views}}.h5", "test"),
        fbp=ct_files("fbp/{image}_{{views}}.nii", "test"),
        weights="results/sparse_ct/tv/weights_{views}.csv",
        code=code("sparse_ct/reconstruct_tv"),
    output:
        images=ct_files("tv/{image}_{{views}}.nii.gz", "test"),
    log:
        "logs/reconstruct_tv/{views}.log",
    benchmark:
        "logs/benchmarks/reconstruct_tv/{views}.tsv"
    conda:
        "../envs/gpu.yaml"
    params:
        cfg=settings("torch_threads", "sparse_ct.total_variation.iterations"),
    script:
        "../workflow_scripts/sparse_ct/reconstruct_tv.py"


rule score_images:
    """Measure every reconstruction of the test patients against the original."""
    input:
        originals=ct_files("images/{image}.nii", "test"),
        sinograms=ct_files("sinograms/{image}_{{views}}.h5", "test"),
        tv=ct_files("tv/{image}_{{views}}.nii.gz", "test"),
        denoised=ct_files("denoised/{image}_{{views}}.nii.gz", "test"),
        code=code("sparse_ct/score_images"),
    output:
        scores="results/sparse_ct/scores/{views}.csv",
    log:
        "logs/score_images/{views}.log",
    benchmark:
        "logs/benchmarks/score_images/{views}.tsv"
    conda:
        "../envs/gpu.yaml"
    params:
        cfg=settings("torch_threads", "sparse_ct.window_hu"),
        rows=ct_rows(ct_images("test"), "image", "patient"),
    script:
        "../workflow_scripts/sparse_ct/score_images.py"


rule evaluate_sparse_ct:
    """Compare the ways of reconstruction for each number of views."""
    input:
        scores=expand("results/sparse_ct/scores/{views}.csv", views=VIEWS),
        growth="results/sparse_ct/batch_growth.csv",
        code=code("sparse_ct/evaluate_sparse_ct"),
    output:
        metrics="results/metrics/sparse_ct.json",
        table="results/sparse_ct/quality.csv",
    log:
        "logs/evaluate_sparse_ct.log",
    benchmark:
        "logs/benchmarks/evaluate_sparse_ct.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        cfg=settings("seed", "sparse_ct.evaluation.bootstrap_samples"),
    script:
        "../workflow_scripts/sparse_ct/evaluate_sparse_ct.py"


rule train_trunk:
    """Train at batch size 1 to the end, and keep the states from which growing batches branch off."""
    input:
        train=ct_files("fbp/{image}_{{views}}.nii", "train"),
        train_originals=ct_files("images/{image}.nii", "train"),
        validation=ct_files("fbp/{image}_{{views}}.nii", "validation"),
        validation_originals=ct_files("images/{image}.nii", "validation"),
        code=code("sparse_ct/train_trunk"),
    output:
        weights="results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/fixed_1.safetensors",
        card="results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/fixed_1.json",
        states=expand(
            "results/sparse_ct/models/{{sizing}}_{{views}}_{{output}}_{{seed}}/after_{epochs}.ckpt",
            epochs=BRANCH_EPOCHS,
        ),
    log:
        "logs/train_trunk/{sizing}_{views}_{output}_{seed}.log",
    benchmark:
        "logs/benchmarks/train_trunk/{sizing}_{views}_{output}_{seed}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=GROWTH_SETTINGS,
        row=wildcards_row,
        epochs=BRANCH_EPOCHS,
    script:
        "../workflow_scripts/sparse_ct/train_trunk.py"


rule train_schedule:
    """Train with one batch schedule, from the trunk on where both are the same until then."""
    input:
        train=ct_files("fbp/{image}_{{views}}.nii", "train"),
        train_originals=ct_files("images/{image}.nii", "train"),
        validation=ct_files("fbp/{image}_{{views}}.nii", "validation"),
        validation_originals=ct_files("images/{image}.nii", "validation"),
        start=trunk_state,
        code=code("sparse_ct/train_schedule"),
    output:
        weights="results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/{table}_{sizes}{control}.safetensors",
        card="results/sparse_ct/models/{sizing}_{views}_{output}_{seed}/{table}_{sizes}{control}.json",
    log:
        "logs/train_schedule/{sizing}_{views}_{output}_{seed}/{table}_{sizes}{control}.log",
    benchmark:
        "logs/benchmarks/train_schedule/{sizing}_{views}_{output}_{seed}/{table}_{sizes}{control}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=GROWTH_SETTINGS,
        row=wildcards_row,
    script:
        "../workflow_scripts/sparse_ct/train_schedule.py"


rule compare_batch_growth:
    """Put the batch schedules side by side, as Tables 3.1 and 3.2 of the thesis do."""
    input:
        cards=[f"{model}.json" for model in GROWTH_MODELS],
        code=code("sparse_ct/compare_batch_growth"),
    output:
        table="results/sparse_ct/batch_growth.csv",
        histories="results/sparse_ct/batch_growth.histories.csv",
    log:
        "logs/compare_batch_growth.log",
    benchmark:
        "logs/benchmarks/compare_batch_growth.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        runs=GROWTH_RUNS,
    script:
        "../workflow_scripts/sparse_ct/compare_batch_growth.py"


rule draw_batch_growth:
    """Draw loss and PSNR over the epochs, as Figures 3.9 to 3.11 of the thesis do."""
    input:
        histories="results/sparse_ct/batch_growth.histories.csv",
        code=code("sparse_ct/draw_batch_growth"),
    output:
        figure="results/sparse_ct/figures/{kind}_{sizing}_{output}.png",
    log:
        "logs/draw_batch_growth/{kind}_{sizing}_{output}.log",
    benchmark:
        "logs/benchmarks/draw_batch_growth/{kind}_{sizing}_{output}.tsv"
    conda:
        "../envs/cpu.yaml"
    params:
        row=wildcards_row,
    script:
        "../workflow_scripts/sparse_ct/draw_batch_growth.py"


rule draw_denoised:
    """Show one slice as the networks of all schedules restore it, as Figures 3.12 and 3.13 of the thesis do."""
    input:
        weights=shown_models(".safetensors"),
        cards=shown_models(".json"),
        fbp="results/sparse_ct/fbp/{}_{}.nii".format(SHOWN, GROWTH["views"]),
        original=f"results/sparse_ct/images/{SHOWN}.nii",
        code=code("sparse_ct/draw_denoised"),
    output:
        figure="results/sparse_ct/figures/denoised_{sizing}.png",
    log:
        "logs/draw_denoised/{sizing}.log",
    benchmark:
        "logs/benchmarks/draw_denoised/{sizing}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads", "sparse_ct.figures.slice", "sparse_ct.denoiser.size_px"),
        row=wildcards_row,
        runs=shown_runs,
    script:
        "../workflow_scripts/sparse_ct/draw_denoised.py"


rule measure_steps:
    """Measure memory and time of a training step by batch size, and find the largest batch that fits."""
    input:
        code=code("sparse_ct/measure_steps"),
    output:
        steps="results/sparse_ct/batch_growth.cost.csv",
        largest="results/sparse_ct/largest_batch.cost.csv",
    log:
        "logs/measure_steps.log",
    benchmark:
        "logs/benchmarks/measure_steps.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: config["torch_threads"]
    resources:
        gpu=1,
    params:
        cfg=settings("torch_threads", "sparse_ct.memory") | {"denoiser": GROWTH_DENOISER},
    script:
        "../workflow_scripts/sparse_ct/measure_steps.py"
