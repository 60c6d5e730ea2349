# Everything one does with a checkout; `make` alone lists it. Needs Python 3.11 or newer, nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench lock clean

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraints requirements.lock --build-constraints requirements.lock
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
BENCHMARKS := ability calibration selection false_passes quality prediction cold_and_warm_start gateway_overhead pages

# uv does not read pip's settings; who sets a mirror for pip wants it here too.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.run ## install what is missing, then serve a demo on http://localhost:8000 (PORT=... for another port)
	@exec $(BIN)/toprope serve --demo --host $(HOST) --port $(PORT)

test: $(VENV)/.dev ## run every test, a real browser's too (ARGS="tests/audit -x" for some of them)
	@$(BIN)/python tests/browser/install_browser.py
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev ## check style, types and the rules of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

format: $(VENV)/.dev ## put the code in shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.peers ## measure, and print tables beside those of peers (an hour or more)
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

lock: $(BIN)/uv ## choose versions anew and write requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --upgrade \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## remove what make made here; the data in ./var stay
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results

# The environment, from the lock file. `.dev` holds all that `.run` does.
$(VENV)/.run: pyproject.toml requirements.lock $(BIN)/uv
	@echo "Installing Toprope into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock $(BIN)/uv
	@echo "Installing Toprope and what its tests need into $(VENV) ..."
	@$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/.run $@

$(VENV)/.peers: $(VENV)/.dev
	@$(INSTALL) --editable '.[dev,peers]'
	@touch $@

# uv itself, by the lock file's version and hashes.
$(BIN)/uv:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi; python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Toprope needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	fi; \
	$$python -m venv $(VENV) || { \
	  echo "Python cannot make a virtual environment here; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	}
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	@$@ pip uninstall --quiet --python $(BIN)/python pip setuptools # 27 MB that nothing here uses
