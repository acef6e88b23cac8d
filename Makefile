# The commands of a checkout. Every target sets up .venv first, when that is due.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup run test test-failed faults lint bench screenshots docs

setup: $(READY)

# Done again only when what is to be installed has changed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "mlm-workbench needs Python 3.11 or newer: make setup PYTHON=python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e '.[starter,test]'
	@touch $@

run: $(READY)
	$(BIN)/mlm-workbench

# Several processes test, each with one thread: trainings in a test are too small for more.
TESTS := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest

test: $(READY)
	$(TESTS) --numprocesses logical --maxprocesses 4 --dist loadgroup

# Only what failed the last time, one test after the other. pytest-xdist remembers failures by names of its own.
test-failed: $(READY)
	$(TESTS) --numprocesses 1 --dist loadgroup --last-failed --last-failed-no-failures none

# Everything is broken on purpose, and at length; `make test` does it in a short form.
faults: $(READY)
	MLM_WORKBENCH_FAULTS=full $(TESTS) tests/faults

# Jobs on a real Slurm that this starts: preemption, time limits, kills. Needs Debian's slurmctld, slurmd, slurm-client, munge.
cluster: $(READY)
	MLM_WORKBENCH_CLUSTER=full $(TESTS) tests/cluster tests/engines

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m bench

screenshots: $(READY)
	$(BIN)/python docs/screenshots.py

docs: $(READY)
	$(BIN)/python -m docs.recipe_table
	$(BIN)/python -m docs.reference
	$(BIN)/python -m docs.formats_table
