# Two commands for a fresh machine: `make quickstart` and `make test`. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints/linux-cpu.txt

.PHONY: install browser quickstart test quick-test check clean

# on Linux machines without a GPU the constraints hold what is tested; elsewhere the newest versions that fit
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "radvqa needs Python 3.11 or newer: make PYTHON=python3.11 ..."'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[dev]'
	touch $@

install: $(VENV)/.installed

quickstart: install
	$(BIN)/radvqa quickstart

# the report is tested in a real browser; where this machine lets us install one, we do
browser:
	@command -v chromium >/dev/null || test -n "$$RADVQA_CHROMIUM" || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
	  echo "No Chromium found: install it, or set RADVQA_CHROMIUM; its tests will fail without."

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# two processes at least, one thread each: files of tests are independent of each other
test: browser check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

quick-test: install
	$(BIN)/python -m pytest -m "not slow"

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
