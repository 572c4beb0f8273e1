# Two commands for a fresh machine: `make quickstart` and `make test`. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints/linux-cpu.txt

.PHONY: install quickstart test quick-test check results clean

# on Linux machines without a GPU the constraints hold what is tested; elsewhere the newest versions that fit
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "radvqa needs Python 3.11 or newer: make PYTHON=python3.11 ..."'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[dev]'
	touch $@

install: $(VENV)/.installed

quickstart: install
	$(BIN)/radvqa quickstart

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	$(BIN)/python -m pytest

quick-test: install
	$(BIN)/python -m pytest -m "not slow"

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
