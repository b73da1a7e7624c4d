# `make help` lists the targets; `make` alone is `make run`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# A worker for each core, up to 4: the live tests start servers of their own. What a file's tests
# share (servers, a Dask cluster) is started once; files go out in the order of their folders, for
# the long ones not to come last.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: run test check bench help clean

run: $(STAMP)  ## the main job: simulate and play the bank outage, then print verdict and report
	$(BIN)/bindrill run bank-outage

test: $(STAMP)  ## the whole test suite
	@scripts/install-system-packages
	$(BIN)/pytest $(PARALLEL)

check: $(STAMP)  ## formatting, lints, types and import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## the benchmarks, as ratios; writes the table in docs/benchmarks.md
	$(BIN)/pip install --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks --write

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Bindrill needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(STAMP)

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

clean:  ## remove the environment, builds and caches
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
