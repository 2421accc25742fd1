# Everything starts from a plain clone: Python 3.11 to 3.13, git and make are all it takes.
SHELL := /bin/bash
UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := $(UV) run --no-sync
VIEWER := pipeline/site/viewer
MODULES := $(VIEWER)/node_modules

help: ## show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: install ## make an atlas of the built-in image set and say where it is
	$(RUN) atlas run +experiment=demo

PYTEST := OMP_NUM_THREADS=1 $(RUN) pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: install ## run the tests but the long ones, in two processes of one thread each
	@! command -v npm > /dev/null || $(MAKE) --silent $(MODULES) || true  # without them, axe's tests say why they skip
	$(PYTEST) -m "not long"

test-long: install ## run the long tests: whole runs, trained networks, the same pages from disk
	@! command -v npm > /dev/null || $(MAKE) --silent $(MODULES) || true
	$(PYTEST) -m long

bench: .uv-found ## the side-by-side benchmarks (half an hour or more), kept in benchmarks/results and docs/benchmarks.md
	$(UV) sync --locked --quiet --inexact --group bench
	$(RUN) python -m benchmarks all

soak: install ## the fault table: kills, full disks, broken shards, attacks (half an hour), kept in docs/faults.md
	$(RUN) python -m tests.soak

lint: install $(MODULES) ## ruff, mypy and the viewer's own checks
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	cd $(VIEWER) && npm run --silent lint && npm run --silent check

docs: .uv-found ## the documentation as HTML in docs/_build/html; warnings are errors
	$(UV) sync --locked --quiet --inexact --group docs
	$(RUN) sphinx-build --builder html --fail-on-warning --quiet docs docs/_build/html
	@echo "The documentation is ready: open docs/_build/html/index.html."

install: .uv-found ## the environment in .venv, exactly as locked
	$(UV) sync --locked --quiet

# the viewer's linters, and axe for the tests; installing the project builds the viewer without them
$(MODULES): $(VIEWER)/package-lock.json
	cd $(VIEWER) && npm ci --ignore-scripts --silent && touch node_modules

.PHONY: help demo test test-long bench soak lint docs install .uv-found
.uv-found:
	@command -v "$(UV)" > /dev/null || { python3 -m venv .uv && .uv/bin/pip install --quiet 'uv>=0.8'; }
