# Every verb of the house. A bare machine needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
UV     ?= uv
SEEDS  ?= 1000
JOBS   ?= 3
DEMO   ?=
BENCH  ?=

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LOCKED := requirements/runtime.txt requirements/dev.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format real simulate bench lock clean

help:      ## this list
	@sed -n 's/^\([a-z]*:\)[^#]*## /  make \1  /p' Makefile

setup: $(READY)  ## make .venv from the pinned, hashed requirements

# The stamp is made last, so a half-made environment is made again.
$(READY): $(LOCKED)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12, or the like")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes $(LOCKED:%=-r %)
	$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## five incidents on a simulated cluster, told on this terminal; DEMO=--exit ends by itself
	$(BIN)/paramedic demo $(DEMO)

test: $(READY)  ## everything that must pass: no network, no container, no root
	$(BIN)/pytest -n $(JOBS) --dist worksteal
	@echo "Not run here: tests/real, which wants a real Alertmanager and a Kubernetes control plane. 'make real' gets them."

check: $(READY)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## put the code into the one format, mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

real: $(READY)  ## get the real parts and run tests/real against them; with CI=true a skip is a failure
	tests/real/install
	$(BIN)/pytest tests/real -rs --timeout 300

simulate: $(READY)  ## the simulation with faults, SEEDS=N of them; and every deliberate defect is found
	SEEDS=$(SEEDS) $(BIN)/pytest tests/simulation -n $(JOBS) --timeout 0

bench: $(READY)  ## measure speed and size; BENCH=NAME for one measurement
	$(BIN)/python -m bench $(BENCH)

lock:      ## write requirements/*.txt anew from the .in files; wants uv, UPGRADE=--upgrade takes newer versions
	cd requirements && for part in runtime dev; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command 'make lock' $(UPGRADE) $$part.in --output-file $$part.txt || exit 1; \
	done

clean:     ## remove what make made; .paramedic, which holds data, stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find service tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
