# Needs make, g++ and Python 3.11 or newer with venv; everything else comes from PyPI into .venv.
#
#   make demo    install the package with what the examples need, and run one
#   make test    install the package with the tools, and run every check
#   make format  bring Python and C++ sources into the form that `make test` demands
#   make docs    write the reference of the dialects and passes to docs/
#   make clean   remove the environment and everything built
#
# A second run does only what changed sources call for.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test format docs docs-check clean ruff mypy clang-format lit pytest test-stress test-exhaustive

PYTHON ?= python3
# Compilers at a time; each takes about a gigabyte.
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The build folder and the stamps live and die with the environment, whose paths they hold.
BUILD := $(VENV)/build
STAMPS := $(VENV)/stamps

CXX_SOURCES := $(shell find csrc dialects tools -name '*.cpp' -o -name '*.h' 2>/dev/null)
PACKAGE_SOURCES := CMakeLists.txt README.md \
  $(shell find cmake csrc dialects tools -type f 2>/dev/null) \
  $(shell find janus_mlir -name '*.py' -o -name '*.pyi' -o -name py.typed 2>/dev/null)

# Prints the requirements in a list of pyproject.toml, one a line: the one place that names them.
requirements = $(BIN)/python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb')); print(*p$(1), sep='\n')"

help:
	@sed -n 's/^\#   //p' Makefile

# --- The environment ------------------------------------------------------------------------------

$(STAMPS)/venv:
	@echo "== Creating $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	@mkdir -p $(STAMPS) && touch $@

# Without build isolation, so that the build folder stays valid and a rebuild compiles what changed.
$(STAMPS)/build-requires: $(STAMPS)/venv pyproject.toml
	@echo "== Installing the build requirements"
	$(call requirements,['build-system']['requires']) > $@.txt
	$(PIP) install --progress-bar off -r $@.txt
	@touch $@

$(STAMPS)/package: $(STAMPS)/build-requires $(PACKAGE_SOURCES)
	@echo "== Building and installing janus_mlir (log: $(STAMPS)/package.log)"
	@CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(PIP) install -v --progress-bar off --no-build-isolation -C build-dir=$(BUILD) . 2>&1 \
	  | tee $(STAMPS)/package.log \
	  | sed -un -e 's/^ *\(\[[0-9]*\/[0-9]*\]\) \(Building\|Linking\) \(.*\)/\1 \3/p' -e '/^Successfully installed/p' \
	  || { tail -n 60 $(STAMPS)/package.log; exit 1; }
	@touch $@

$(STAMPS)/examples $(STAMPS)/dev: $(STAMPS)/%: $(STAMPS)/venv pyproject.toml
	@echo "== Installing the extra '$*'"
	$(call requirements,['project']['optional-dependencies']['$*']) > $@.txt
	$(PIP) install --progress-bar off -r $@.txt
	@touch $@

# --- What one runs --------------------------------------------------------------------------------

demo: $(STAMPS)/package $(STAMPS)/examples
	$(BIN)/python examples/digits.py

test: ruff clang-format mypy docs-check lit pytest
	@echo "== All checks passed"

ruff: $(STAMPS)/dev
	@echo "== ruff"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clang-format: $(STAMPS)/dev
	@echo "== clang-format"
	$(BIN)/clang-format --dry-run --Werror $(CXX_SOURCES)

mypy: $(STAMPS)/package $(STAMPS)/dev
	@echo "== mypy"
	$(BIN)/mypy

lit: $(STAMPS)/package $(STAMPS)/dev
	@echo "== lit"
	$(BIN)/lit -sv -j$(JOBS) lit_tests

# XLA compiles the eager JAX that results are compared with, thousands of single ops: these options halve its time.
# A version that does not know them would abort. What one process has compiled the others read.
XLA_QUICKLY := --xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1
run_pytest = JAX_PLATFORMS=cpu JAX_COMPILATION_CACHE_DIR=$(CURDIR)/$(VENV)/xla \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1 \
  XLA_FLAGS="$$(JAX_PLATFORMS=cpu XLA_FLAGS='$(XLA_QUICKLY)' $(BIN)/python -c 'import jax; jax.devices()' 2> /dev/null \
    && echo '$(XLA_QUICKLY)')" $(1) $(BIN)/pytest -n $(JOBS)

pytest: $(STAMPS)/package $(STAMPS)/dev $(STAMPS)/examples
	@echo "== pytest"
	@$(call run_pytest)
	@echo "== pytest, each guard failing in turn: the part of the programs that is due today"
	@$(call run_pytest,JANUS_STRESS=deopt) tests/semantics --part $$(date +%s | awk '{print int($$1 / 86400)}')/6

# The same over all programs.
test-stress: $(STAMPS)/package $(STAMPS)/dev
	@$(call run_pytest,JANUS_STRESS=deopt) tests/semantics

# What `make test` leaves out: every size and element type.
test-exhaustive: $(STAMPS)/package $(STAMPS)/dev $(STAMPS)/examples
	@$(call run_pytest) -m exhaustive

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)

docs: $(STAMPS)/package
	$(BIN)/cmake --build $(BUILD) --target docs

docs-check: $(STAMPS)/package
	@echo "== docs"
	$(BIN)/cmake --build $(BUILD) --target docs-check

clean:
	rm -rf $(VENV) build
