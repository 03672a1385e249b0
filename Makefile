# From a bare machine with make and Python 3.10, 3.11 or 3.12: each target first makes .venv and installs into it
# exactly what constraints.txt says. A second call installs nothing, until pyproject.toml or constraints.txt changes.
#   make PYTHON=/usr/local/bin/python3.12 test     another interpreter
#   make SOURCE=clip.mp4 live                      another camera, a video, or a folder of pictures
#   make RECIPES=cmn:synthetic engines             some engines alone

PYTHON ?= python3.11 python3.12 python3.10 python3 python
SOURCE ?= 0
# METHOD:DATA of configs/methods and configs/data, in this order: the encoder has two teachers, and heads its embeddings.
RECIPES ?= expression-resnet18:ferplus expression-first:ferplus expression:ferplus spotter:films motion:synthetic \
	cmn:synthetic apexnet:synthetic dynamic:enacted units:synthetic
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/tools/bin
COMPILE = $(TOOLS)/uv --quiet pip compile --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))

.DEFAULT_GOAL := help
.PHONY: help demo live test suite lint engines clean hashed licences sbom audit newer locks

help: ## what can be made
	@sed -n 's/^\([a-z]*\): [^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/base.stamp ## the recorded sample through the whole live system, with its page
	$(BIN)/python -m realtime demo || test $$? = 130 # Ctrl-C is how it ends, and no error

live: $(VENV)/base.stamp ## the camera, or SOURCE=..., with its page
	$(BIN)/python -m realtime view --source $(SOURCE) || test $$? = 130

test: $(VENV)/dev.stamp ## every check: linters, types, import contracts, tests
	+@$(MAKE) --no-print-directory --jobs 2 lint suite

suite: $(VENV)/dev.stamp # beside the linters: a third of the tests' time is waiting
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

lint: $(VENV)/dev.stamp ## every check but the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

engines: $(VENV)/dev.stamp ## every engine anew from its recipe; takes hours, goes on where it was interrupted
	set -e; for recipe in $(RECIPES); do $(BIN)/python -m train rebuild \
	  --config configs/methods/$${recipe%:*}.toml --config configs/data/$${recipe#*:}.toml; done

hashed: $(BIN)/python ## the live system alone, each file installed only if its SHA-256 is that of configs/locks/live.txt
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --no-deps --requirement configs/locks/live.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $(VENV)/base.stamp

licences: $(VENV)/base.stamp $(VENV)/tools.stamp ## those of all that is installed in .venv
	@$(TOOLS)/pip-licenses --python=$(BIN)/python --from=mixed --order=license --format=markdown

sbom: $(VENV)/base.stamp $(VENV)/tools.stamp ## build/sbom.json: a CycloneDX bill of all that is installed in .venv
	@mkdir -p build
	$(TOOLS)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json

audit: $(VENV)/tools.stamp ## known holes of configs/locks/live.txt, by the registry's list of advisories; wants the network
	$(TOOLS)/pip-audit --strict --disable-pip --requirement configs/locks/live.txt

newer: $(VENV)/tools.stamp ## versions that pyproject.toml allows and that are newer than those of configs/locks/live.txt
	@mkdir -p build
	@$(COMPILE) pyproject.toml configs/locks/build.in --output-file build/newest.txt --upgrade
	@for file in configs/locks/live.txt build/newest.txt; do grep -o '^[a-z0-9_.-]*==[^ ;]*' $$file | sort -u > build/$$(basename $$file).pins; done
	@comm -13 build/live.txt.pins build/newest.txt.pins

locks: $(VENV)/tools.stamp ## configs/locks/live.txt and configs/locks/tools.txt anew, from constraints.txt and configs/locks/tools.in
	$(COMPILE) --generate-hashes --constraint constraints.txt pyproject.toml configs/locks/build.in --output-file configs/locks/live.txt
	$(COMPILE) --generate-hashes configs/locks/tools.in --output-file configs/locks/tools.txt

clean: ## remove the environment and all caches of the tools, but no data and no engines
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
	find realtime train tests -name __pycache__ -type d -prune -exec rm -rf {} +

# One pip command each: packages that are added later let pip break mediapipe's bound on protobuf.
$(VENV)/base.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	@touch $(VENV)/base.stamp $@

# Apart from .venv, whose libraries they would otherwise change.
$(VENV)/tools.stamp: configs/locks/tools.txt | $(BIN)/python
	$(BIN)/python -m venv --clear $(VENV)/tools
	$(TOOLS)/python -m pip install --quiet --require-hashes --only-binary :all: --no-deps --requirement configs/locks/tools.txt
	@touch $@

# The first interpreter that truly runs, is of a version that mediapipe has wheels for, and can make environments:
# a version manager may leave names on the path that only print an error.
$(BIN)/python:
	@for python in $(PYTHON); do \
	  if $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then \
	    echo "making $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No usable Python among: $(PYTHON)." >&2; \
	echo "Wanted 3.10, 3.11 or 3.12 with its venv module (on Debian: apt install python3-venv)." >&2; \
	echo "Install one, or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	exit 1
