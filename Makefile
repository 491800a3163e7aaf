# Few verbs. Each one sets up what it needs first, on a bare machine with Python 3.11+ and make.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
STAMP := .venv/.ready

.PHONY: setup demo test check bench reliability fuzz docs lock clean

setup: $(STAMP)  ## make .venv with everything in it

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("overnight needs Python 3.11 or newer, this is %s: say make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src || true
	@touch $(STAMP)

demo: setup  ## 1,100 abstracts through the embedded local cloud
	$(BIN)/overnight run examples/planned-naps/study.yaml

test: setup  ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: setup  ## lint, types, the house's layering
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## ratios against a yardstick in the same run
	$(BIN)/python -m bench

reliability: setup  ## faults, kills and any order, counted into docs/explanation/reliability.md
	$(BIN)/python -m tests.reliability

fuzz: setup  ## 100,000 damaged files through every reader
	$(BIN)/python -m tests.fuzz --inputs 100000

docs: setup  ## rebuild the pages that are made from the code
	$(BIN)/python -m docs.build

lock:  ## pin every dependency with hashes and without a host's name (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -o requirements/dev.txt

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
