# `make` lists the targets. Each of them first makes the environment that it needs, in .venv.
#   make env PYTHON=python3.12                            another interpreter
#   make env TORCH="torch==2.13.0 --index-url URL"        another build of torch, for example a smaller one without CUDA
#   make demo CORES=8

PYTHON ?= python3
TORCH ?= torch==2.13.0
CORES ?= 2

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Some images forbid compiled modules to be kept; then each of the many processes of a study or test compiles torch anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE
# The rules of the workflow call `lightweights` by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PIP := .venv/bin/python -m pip -qq --disable-pip-version-check
# uv where it is there, as it is faster; what it cannot reach (an index or proxy that only pip knows of), pip installs from the same lock.
UV := $(shell command -v uv)
DEMO := --configfile workflow/presets/demo.yaml
DEMO_ALL := $(DEMO) workflow/presets/demo-all.yaml

.PHONY: help env demo demo-all test test-whole test-all test-slurm faults reproduce restore lint bench docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

env: .venv/complete ## Make the environment in .venv: locked versions, this package editable

demo: .venv/complete ## Run a small whole study on an embedded data set: two minutes, no download
	@snakemake --cores $(CORES) all results/demo/report.html $(DEMO)
	@lightweights show demo

demo-all: .venv/complete ## Run every chapter in small: some minutes, no download
	@snakemake --cores $(CORES) all results/demo-all/report.html $(DEMO_ALL)
	@lightweights show demo-all

test: export OMP_NUM_THREADS = 1
test: .venv/complete ## Run the tests of functions and commands: some minutes
	@python -m pytest -n $(CORES) -m "not whole and not slow"

test-whole: export OMP_NUM_THREADS = 1
test-whole: .venv/complete ## Run the tests that start whole studies, examples and sites, or compute for seconds
	@python -m pytest -n $(CORES) --dist loadfile -m "whole and not slow"

test-all: export OMP_NUM_THREADS = 1
test-all: .venv/complete ## Run all tests
	@python -m pytest -n $(CORES)

test-slurm: export OMP_NUM_THREADS = 1
test-slurm: .venv/complete ## Start a SLURM on this machine, installed by apt where root, and run the demo and small studies on it
	@python tests/slurm/cluster.py install
	@python -m pytest tests/slurm -rs

faults: export OMP_NUM_THREADS = 1
faults: export LIGHTWEIGHTS_FAULTS = $(CURDIR)/build/faults
faults: .venv/complete ## Bring every fault about that docs/faults.md lists, and write its table
	@rm -rf build/faults
	@python tests/slurm/cluster.py install
	@python -m pytest tests/faults/test_faults.py tests/faults/test_silence.py tests/faults/test_campaign.py tests/test_verify.py tests/slurm -rs -k "not demo"
	@python tests/faults/table.py
	@python -m pytest tests/faults/test_table.py

reproduce: .venv/complete ## Run the whole study of params.yaml, with tables, figures, scorecard and report: days of CPU time
	@snakemake --cores $(CORES)
	@snakemake --cores 1 results/paper/report.html
	@lightweights show paper

restore: .venv/complete ## Bring back the stored runs and weights, so that nothing needs training again
	@lightweights restore

lint: .venv/complete ## Check style, types and the workflow
	@ruff check
	@ruff format --check
	@mypy
	@snakefmt --check Snakefile workflow
	@python .ci/lint_workflow.py

bench: export OMP_NUM_THREADS = 1
bench: .venv/complete ## Measure the speed of kernels and training steps: benchmarks/results
	@python -m benchmarks

docs: .venv/complete ## Build the documentation, every broken link an error: build/site/index.html
	@sphinx-build --fail-on-warning --keep-going --quiet docs build/site

lock: ## Resolve the dependencies anew with PYTHON (use the oldest supported) and write requirements.lock, with digests
	@new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	"$(PYTHON)" -m venv "$$new"; \
	pip=("$$new/bin/python" -m pip -qq --disable-pip-version-check); \
	"$${pip[@]}" install $(TORCH); \
	"$${pip[@]}" install ".[workflow,photonics,dev,docs]"; \
	"$${pip[@]}" freeze --all | grep -vE '^(pip|torch|triton|lightweights|nvidia-[a-z0-9-]+|cuda-[a-z-]+)( @|==)' > "$$new/versions"; \
	"$${pip[@]}" install uv; \
	"$$new/bin/uv" pip compile -q --no-deps --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    --python "$$new/bin/python" -o "$$new/hashed" "$$new/versions"; \
	{ sed '/^[^#]/,$$d' requirements.lock; cat "$$new/hashed"; } > "$$new/lock"; \
	cp "$$new/lock" requirements.lock

clean: ## Remove the environment, caches and the results of the demo; those of other studies stay
	@rm -rf .venv .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis build results/demo results/demo-all
	@find src tests benchmarks workflow -name __pycache__ -prune -exec rm -rf {} +
	@rm -rf src/*.egg-info

# The folder that the environment was made for is written into it, as its programs only work there.
ifneq ("$(shell cat .venv/complete 2>/dev/null)","$(CURDIR)")
.PHONY: .venv/complete
endif

# --no-deps: the lock file is whole but for torch, and nothing in it may bring a torch of its own. Constraints may have no digests, since pip
# would then ask for those of torch too. Modules are compiled when they are first imported.
.venv/complete: pyproject.toml requirements.lock
	@"$(PYTHON)" -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; " + sys.executable + \
	    " is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@if [[ -f .venv/complete && "$$(cat .venv/complete)" != "$(CURDIR)" ]]; then rm -rf .venv; fi
	@echo "Installing into .venv; a few minutes the first time"
	@[[ -x .venv/bin/python ]] || "$(PYTHON)" -m venv .venv
	@{ [[ -n "$(UV)" ]] && "$(UV)" pip install -q --python .venv/bin/python --no-deps --require-hashes -r requirements.lock; } || \
	    $(PIP) install --no-compile --no-deps --require-hashes -r requirements.lock
	@sed -nE 's/^([A-Za-z0-9][^ ]*==[^ ]+).*/\1/p' requirements.lock > .venv/versions
	@$(PIP) install --no-compile --constraint .venv/versions $(TORCH)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@echo "$(CURDIR)" > $@
