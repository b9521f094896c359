# Every target does its own set-up: python3 (3.11 or newer), make and a package index are enough.

PYTHON ?= python3
TEST_WORKERS ?= 2
PYTEST_ARGS ?=
ARGS ?=

BIN := .venv/bin
UV := .venv/uv/bin/uv
SETUP := $(PYTHON) tools/bootstrap.py

.PHONY: demo up test check bench bench-matching bench-queue bench-listing bench-api bench-site bench-terminal bench-scaling \
	proof proof-crashes proof-storm proof-supervisord soak pictures setup lock clean

demo:
	@$(SETUP) --browser
	@$(BIN)/registre demo $(ARGS)

up:
	@$(SETUP) --browser
	@$(BIN)/registre up $(ARGS)

test:
	@$(SETUP) --dev --browser
	$(BIN)/python -m pytest -q -n $(TEST_WORKERS) $(PYTEST_ARGS)

check:
	@$(SETUP) --dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: bench-matching bench-queue bench-listing bench-api bench-site bench-terminal

bench-matching:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.matching.run $(ARGS)

# beside procrastinate and pgqueuer, which it installs for itself
bench-queue:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.queue.run $(ARGS)

# the worker killed at every point of a job's life, on the twin: N runs of the series that SEED plans
N ?= 60
SEED ?= 1
proof-crashes:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.crashes.run --runs $(N) --seed $(SEED) $(ARGS)

# N mixed orders while the twin shows every bad manner it knows, in an order that SEED picks
proof-storm: N = 500
proof-storm:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.storm.run --orders $(N) --seed $(SEED) $(ARGS)

# N orders on a host under supervisord, each of whose programs is killed once, at moments that SEED picks
proof-supervisord: N = 200
proof-supervisord:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.supervisord.run --orders $(N) --seed $(SEED) $(ARGS)

# the whole product under fire: N orders on a host of which every part is struck, in an order that SEED picks; --save for RESULTS.md
proof: N = 700
proof:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.proof.run --orders $(N) --seed $(SEED) $(ARGS)

# one host at work for more than two hours: what it holds must not grow; --minutes for less
soak:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.soak.run $(ARGS)

# the terminal dashboard in front of a million orders
bench-terminal:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.terminal.run $(ARGS)

# from 1 to 50 simulated hosts of 20 accounts on one PostgreSQL: some eleven minutes, --quick for less
bench-scaling:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.scaling.run $(ARGS)

bench-listing:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.listing.run $(ARGS)

# the API beside a bare handler, at a million rows: some six minutes, --quick for less
bench-api:
	@$(SETUP) --dev
	$(BIN)/python -m benchmarks.api.run $(ARGS)

# the whole system beside a bare Playwright script, on the twin: some ten minutes, --quick for less
bench-site:
	@$(SETUP) --dev --browser
	$(BIN)/python -m benchmarks.site.run $(ARGS)

setup:
	@$(SETUP) --dev --browser

# resolves anew within pyproject.toml's bounds; what is locked already stays unless UPGRADE=--upgrade
lock:
	@$(SETUP) --dev
	$(UV) pip compile pyproject.toml --universal --generate-hashes --no-header --quiet $(UPGRADE) -o requirements.lock
	$(UV) pip compile pyproject.toml --group dev -c requirements.lock --universal --generate-hashes --no-header --quiet $(UPGRADE) -o requirements-dev.lock

.PHONY: charts audit

# the state charts of docs/architecture.md, from the tables of the code
charts:
	@$(SETUP) --dev
	$(BIN)/python -m tools.charts

# every locked package against the known vulnerabilities, which the package index knows: no part of the tests. It fails where it cannot tell
audit:
	@$(SETUP) --dev
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock

# every page of the dashboard, of a made-up working day, into docs/pictures
pictures:
	@$(SETUP) --dev --browser
	$(BIN)/python -m tests.dashboard.pictures

# what make made; the data under REGISTRE_HOME is not
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
