# Everything a newcomer, CI and a release do. Only python3 (3.11 or newer) and make are needed beforehand.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT := $(or $(ATALAIA_PORT),8400)

.PHONY: help setup assets run demo test check bench bench-peers soak lock clean

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(VENV)/.ready assets  ## virtual environment with everything in it

$(VENV)/.ready: constraints.txt pyproject.toml scripts/venv.sh
	@PYTHON=$(PYTHON) scripts/venv.sh $(VENV)
	@touch $@

assets: src/atalaia/web/static/vendor/.ready

src/atalaia/web/static/vendor/.ready: package.json package-lock.json scripts/assets.py $(VENV)/.ready
	@$(BIN)/python scripts/assets.py
	@touch $@

run: setup  ## hub with the embedded store and a local agent
	@$(BIN)/python scripts/run.py --port $(PORT)

demo: setup  ## hub, three agents, a site that breaks and heals, a fleet platform with jobs, an exchange, chargers of a condominium
	@$(BIN)/atalaia demo

check: setup  ## format, lint, types, imports, sizes, secrets in tracked files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q -p no:randomly tests/architecture

# Debian's packages come while Python's do, unless the latter need one of the former.
test:  ## everything that CI runs
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null && scripts/packages.sh >/dev/null 2>&1 & \
		$(MAKE) --no-print-directory setup; status=$$?; wait; exit $$status
	@scripts/test.sh

bench: setup bench-peers  ## the figures of docs/benchmarks.md
	@$(BIN)/python -m benchmarks

bench-peers:  ## other job queues, into a virtual environment of their own, to be measured beside ours
	@PYTHON=$(PYTHON) scripts/peers.sh .venv-peers

soak: setup  ## the long crash runs; docs/reliability.md
	@$(BIN)/python -m tests.acceptance.soak

lock:  ## newest versions that pyproject.toml allows, with hashes
	@$(BIN)/python scripts/lock.py

clean:
	@rm -rf $(VENV) .venv-peers node_modules build dist src/atalaia/web/static/vendor
