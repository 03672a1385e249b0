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
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))

.DEFAULT_GOAL := help
.PHONY: help demo live test lint engines clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\): [^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/base.stamp ## the recorded sample through the whole live system, with its page
	$(BIN)/python -m realtime demo

live: $(VENV)/base.stamp ## the camera, or SOURCE=..., with its page
	$(BIN)/python -m realtime view --source $(SOURCE)

test: lint ## every check: linters, types, import contracts, tests
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

lint: $(VENV)/dev.stamp ## every check but the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

engines: $(VENV)/dev.stamp ## every engine anew from its recipe; takes hours, goes on where it was interrupted
	set -e; for recipe in $(RECIPES); do $(BIN)/python -m train rebuild \
	  --config configs/methods/$${recipe%:*}.toml --config configs/data/$${recipe#*:}.toml; done

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
