# `make demo` and `make test` do all the set-up. They create .venv if it is missing and reuse it afterwards.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo-report
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The first candidate that is Python 3.11 to 3.13 with venv. Choose another with `make PYTHON=/path/to/python ...`.
CANDIDATES := python3 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c '$(FITS)' 2>/dev/null && { echo "$$p"; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
MINUTES ?= 1
SAMPLE ?= 200
FIRST ?= 0
SEED ?= 1
IAM_SIMULATE := 0.1.173
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.PHONY: help demo test slow random simulate faults fuzz mutants infra bench docs coverage lint format lab picture constraints clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.base $(VENV)/.kernels  ## make a report on the sample terrain; needs no network once installed
	@$(BIN)/pacifico demo --out $(OUT)

test: $(VENV)/.all $(VENV)/.kernels  ## run the tests and all notebooks
	$(BIN)/python -m pytest -n 2 --dist worksteal --nbmake --ignore-glob='tests/*.ipynb' tests $(NOTEBOOKS)

slow: $(VENV)/.all  ## run the tests that take longer (browser, large sites)
	$(BIN)/python -m pytest -m 'slow and not benchmark'

random: $(VENV)/.all  ## run the property tests with new random examples
	$(BIN)/python -m pytest -n 2 -m 'hypothesis and not slow and not benchmark' --hypothesis-profile=random tests

# Some harnesses alone: make fuzz HARNESSES="kml kmz" MINUTES=20
fuzz: $(VENV)/.fuzz  ## feed damaged input to each reader, MINUTES=1 each; crashes go to .fuzz
	$(BIN)/python tests/fuzz/run.py $(HARNESSES) --minutes $(MINUTES) --out .fuzz

mutants: $(VENV)/.all  ## run the tests on 200 changed copies of the code; at least 85 % must fail
	$(BIN)/python tests/mutants/run.py --sample $(SAMPLE) --seed $(SEED)

simulate: $(VENV)/.all  ## run a million simulated schedules of jobs under faults (SCHEDULES=N for another number)
	$(BIN)/python -m tests.simulation --schedules $(or $(SCHEDULES),1000000)

faults: $(VENV)/.all  ## kill a worker at every step of a job, and run 200,000 simulated schedules from seed FIRST=0
	$(BIN)/python -m pytest -m slow -s tests/worker/test_scenarios.py -k every_step
	$(BIN)/python -m tests.simulation --schedules 200000 --first $(FIRST)

# numba notices a change in a kernel's own file, but not in the kernels that it calls. So a change recompiles all kernels. Compiled
# ahead, they are in the cache before the first layout, and before the processes of a test run read it.
$(VENV)/.kernels: $(shell find pacifico -name "_*kernels.py") | $(VENV)/.base
	@find pacifico \( -name '*.nb[ci]' -o -name 'pacifico-kernels-*' \) -delete
	@echo "compiling kernels, once: about a minute"
	$(BIN)/python -m pacifico.compiling
	@touch $@

# A policy checker and a second emulator. Both pin many packages, so each gets its own environment.
infra: $(VENV)/.all $(VENV)/.policy $(VENV)/.emulator  ## test Terraform on mocks and an emulator, with a job and all commands of the runbook
	PATH="$(CURDIR)/$(VENV)/policy/bin:$$PATH" PACIFICO_IAM_SIMULATE="$(CURDIR)/$(VENV)/policy" \
	  $(BIN)/python -m pytest -m 'slow or terraform' --durations=12 tests/infra
	PATH="$$PATH:$(CURDIR)/$(VENV)/emulator/bin" $(BIN)/python -m pytest -k ministack tests/jobs

bench: $(VENV)/.bench  ## measure speed and quality against peers
	$(BIN)/python -m pytest -m benchmark tests/benchmarks

docs: $(VENV)/.docs  ## build the documentation: docs/_build/html/index.html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

coverage: $(VENV)/.all  ## measure test coverage; writes htmlcov/index.html
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered --cov-report=html

lint: $(VENV)/.all lint-terraform  ## check style, types, import direction, notebooks without outputs, Terraform
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --verify $(NOTEBOOKS))

# Validation needs the AWS provider: set PACIFICO_TF_PLUGIN_DIR to the folder of a mirror that holds it.
.PHONY: lint-terraform
lint-terraform:
	@if ! command -v terraform >/dev/null; then echo "terraform is not installed: Terraform files not checked"; \
	elif ! ls infra/terraform/*.tf >/dev/null 2>&1; then echo "no Terraform files"; \
	else terraform fmt -check -recursive infra || exit 1; \
	  if [ -z "$$PACIFICO_TF_PLUGIN_DIR" ]; then echo "PACIFICO_TF_PLUGIN_DIR is not set: format of Terraform files checked, files not validated"; \
	  else copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && cp -R infra/terraform/. "$$copy" && rm -rf "$$copy/.terraform" && \
	    terraform -chdir="$$copy" init -backend=false -input=false -plugin-dir="$$PACIFICO_TF_PLUGIN_DIR" >/dev/null && \
	    terraform -chdir="$$copy" validate; \
	  fi; \
	fi

format: $(VENV)/.all  ## format code, strip notebook outputs
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(if $(NOTEBOOKS),$(BIN)/nbstripout $(NOTEBOOKS))

lab: $(VENV)/.all  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks

picture: demo  ## draw docs/demo.png, the README's picture, from the demo report
	$(BIN)/python docs/picture.py $(OUT) docs/demo.png

constraints:  ## pin the newest versions that fit pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade \
	  --no-emit-index-url --no-header --no-annotate pyproject.toml --output-file constraints.txt

clean:  ## remove everything that make created
	rm -rf $(VENV) .fuzz demo-report dist docs/_build docs/reference/api htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks

$(BIN)/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' 2>/dev/null || { echo "no Python 3.11 to 3.13 with venv found (tried: $(or $(PYTHON),$(CANDIDATES))): install one (Debian: apt install python3-venv) or run 'make PYTHON=/path/to/python'" >&2; exit 1; }
	@echo "creating $(VENV) with $(PYTHON); the first time takes a minute or two"
	@$(PYTHON) -m venv $(VENV)

# Stamp files: packages are installed again only if the lists of packages change.
$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.bench: $(VENV)/.all
	$(PIP) --editable '.[lab,aws,server,cad,parquet,stac,dev,bench]'
	@touch $@

$(VENV)/.docs: $(VENV)/.all
	$(PIP) --editable '.[lab,aws,cad,parquet,stac,dev,docs]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.all
	$(PIP) --editable '.[lab,aws,cad,dev,fuzz]'
	@touch $@

$(VENV)/.policy: infra/policy-tools.txt | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/policy
	$(VENV)/policy/bin/python -m pip --disable-pip-version-check --quiet install --requirement infra/policy-tools.txt
	@if command -v npm >/dev/null; then \
	  npm install --silent --no-fund --no-audit --prefix $(VENV)/policy @cloud-copilot/iam-simulate@$(IAM_SIMULATE) </dev/null; \
	else echo "npm is not installed: no second policy evaluator"; fi
	@touch $@

$(VENV)/.emulator: infra/emulator.txt | $(BIN)/python
	@$(PYTHON) -m venv $(VENV)/emulator
	$(VENV)/emulator/bin/python -m pip --disable-pip-version-check --quiet install --requirement infra/emulator.txt
	@touch $@

$(VENV)/.all: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[lab,aws,server,cad,parquet,stac,dev]'
	@touch $(VENV)/.base $@
