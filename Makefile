# Two commands for a fresh machine: `make demo` and `make test`. They need Python 3.11 or newer, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Sessions find their tools (ruff, actionlint, act, …) in the environment, like a developer who activated it.
export PATH := $(CURDIR)/$(BIN):$(PATH)
NOX := $(BIN)/python -m nox --no-venv
# Extra words for pytest: make test ARGS="tests/sql -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench generate clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runs ## Lint, comment on, merge, push and deploy the example shop
	@$(BIN)/python scripts/demo.py

test: $(VENV)/.develops ## Linters, generated files, then the whole test suite
	@$(NOX) -s lint generate tests -- $(ARGS)

lint: $(VENV)/.develops ## ruff, mypy, import contract, workflows, Dockerfile
	@$(NOX) -s lint

generate: $(VENV)/.develops ## Write everything that follows from the options, rules and commands
	@$(BIN)/python scripts/generate.py

bench: $(VENV)/.develops ## Speed and memory as ratios, squawk beside it
	@$(NOX) -s bench

clean: ## Remove the environment, caches and what the demo left
	rm -rf $(VENV) .nox .demo .bench .tools .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Python 3.11 or newer is needed; name it: make PYTHON=python3.12 demo' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo 'This Python cannot make virtual environments; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

# The stamps make a second run quick: pip is asked again only after pyproject.toml changed.
$(VENV)/.runs: pyproject.toml | $(BIN)/python
	@echo 'Installing Pilotage into $(VENV) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	@touch $@

$(VENV)/.develops: $(VENV)/.runs
	@echo 'Installing what tests and linters need into $(VENV) …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@
