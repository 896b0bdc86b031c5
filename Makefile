# `make pn_stage`, `make sparse_ct`, `make kits19` and `make scans` run studies on demo data, `make test` the tests; all
# install what is missing.

PYTHON ?= python3
CORES ?= $(shell nproc)
# Jobs with a network that run at once: one for each GPU, or for each core where there is no GPU.
GPUS ?= $(or $(filter-out 0,$(shell nvidia-smi -L 2>/dev/null | grep -c GPU)),$(CORES))
SNAKEMAKE = .venv/bin/snakemake --cores $(CORES) --resources=gpu=$(GPUS)

REAL_DATA ?= $(or $(MEDSCALE_TEST_DATA),../shared/data)
# Real CT for the study of growing batches: folders or files of DICOM and NIfTI.
DATA ?= $(REAL_DATA)/ct_dicom
CT ?= $(addprefix $(DATA)/,tcga_lung_100 totalseg_series single tcia_covid_ny_sbu)
STUDY = runs/sparse_ct_study

.PHONY: pn_stage balancing_study sparse_ct sparse_ct_study kits19 kits19_study kits19_real scans architectures all resume test bench lint

pn_stage: .venv/installed
	$(SNAKEMAKE) results/pn_stage.csv results/metrics/pathology.json

balancing_study: .venv/installed
	$(SNAKEMAKE) results/pathology/balancing_study.csv

sparse_ct: .venv/installed
	$(SNAKEMAKE) sparse_ct

sparse_ct_study: .venv/installed
	mkdir -p $(STUDY)
	.venv/bin/python -m medscale ct_sheet $(CT) --output $(STUDY)/images.csv --seed 20
	$(SNAKEMAKE) sparse_ct --directory $(STUDY) --configfile configs/sparse_ct_study.yaml

kits19: .venv/installed
	$(SNAKEMAKE) kits19

kits19_study: .venv/installed
	$(SNAKEMAKE) results/kits19/study.csv

# Trained on one of two real patients, or on phantoms, and tried on the other.
REAL = runs/kits19_real
REAL_CASES = $(REAL)/cases/case_10036/segmentation.nii.gz $(REAL)/cases/case_90000/segmentation.nii.gz
REAL_SHEET = .venv/bin/python -m medscale kits19_sheet $(REAL)/cases --output $(REAL)
kits19_real: .venv/installed $(REAL_CASES)
	$(REAL_SHEET)/slices_to_scan/cases.csv --split case_10036=train --split case_90000=test
	$(REAL_SHEET)/scan_to_slices/cases.csv --split case_90000=train --split case_10036=test
	mkdir -p $(REAL)/phantoms_to_both
	(grep -E '^case(,|_000(0[0-9]|1[0-4])|_00160)' sheets/demo_kits19.csv; sed '1d; s/[a-z]*$$/test/' $(REAL)/slices_to_scan/cases.csv) > $(REAL)/phantoms_to_both/cases.csv
	set -e; for run in slices_to_scan scan_to_slices phantoms_to_both; do $(SNAKEMAKE) kits19 --directory $(REAL)/$$run --configfile configs/kits19_real.yaml; done
$(REAL)/cases/case_10036/segmentation.nii.gz: | .venv/installed
	.venv/bin/python -m medscale kits19_case $(REAL_DATA)/kits19_png/images $(REAL_DATA)/kits19_png/masks --kidney 0,0,255 --tumour 255,0,0 --window -79 304 --output $(@D)
$(REAL)/cases/case_90000/segmentation.nii.gz: | .venv/installed
	.venv/bin/python -m medscale kits19_case $(REAL_DATA)/ct_nifti/totalseg_example_ct_sm.nii.gz $(REAL_DATA)/ct_nifti/totalseg_example_ct_sm_seg.nii.gz --kidney 2 3 --output $(@D)

scans: .venv/installed
	$(SNAKEMAKE) scans

# All networks of the comparison, narrow ones for two cores, in a run of their own.
architectures: .venv/installed
	$(SNAKEMAKE) results/scans/architectures.csv results/scans/architectures.cost.csv results/scans/figures/architectures.png --directory runs/architectures --configfile configs/architectures.yaml

all: .venv/installed
	$(SNAKEMAKE)

# After a crash: Snakemake's lock is left over, so nothing else may be running here.
GOAL ?= pn_stage
resume: .venv/installed
	$(SNAKEMAKE) --unlock
	$(MAKE) $(GOAL)

test: .venv/installed
	.venv/bin/pytest

bench: .venv/installed
	.venv/bin/python -m benchmarks $(BENCH)

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
