# `make pn_stage` runs the main job on demo data, `make test` the tests; both install what is missing.

PYTHON ?= python3
CORES ?= $(shell nproc)
# Jobs with a network that run at once: one for each GPU, or for each core where there is no GPU.
GPUS ?= $(or $(filter-out 0,$(shell nvidia-smi -L 2>/dev/null | grep -c GPU)),$(CORES))
SNAKEMAKE = .venv/bin/snakemake --cores $(CORES) --resources=gpu=$(GPUS)

.PHONY: pn_stage balancing_study all resume test bench lint

pn_stage: .venv/installed
	$(SNAKEMAKE) results/pn_stage.csv results/metrics/pathology.json

balancing_study: .venv/installed
	$(SNAKEMAKE) results/pathology/balancing_study.csv

all: .venv/installed
	$(SNAKEMAKE)

# After a crash: Snakemake's lock is left over, so nothing else may be running here.
resume: .venv/installed
	$(SNAKEMAKE) --unlock
	$(MAKE) pn_stage

test: .venv/installed
	.venv/bin/pytest

bench: .venv/installed
	.venv/bin/python -m benchmarks $(BENCH_PX)

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/snakefmt --check Snakefile rules
	.venv/bin/snakemake --lint

.venv/installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet -r requirements.lock
	touch $@
