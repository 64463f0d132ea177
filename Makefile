# Everything a person does here, one word each: `make` lists them.
# Paths are relative on purpose, so that a checkout may sit in a folder with spaces.

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } \
	  /^[a-z-]+:.*## / { printf "  \033[1m%-8s\033[0m %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## Prepare .venv from uv.lock (nothing to do: 0.1 s)
	@$(PYTHON) tools/bootstrap.py

.PHONY: up
up: setup ## Run the whole shop here; PORT=8000, ARGS="--fresh"
	@exec $(BIN)/holdfast up $(if $(PORT),--port $(PORT)) $(ARGS)

.PHONY: dev
dev: setup ## The same, restarting when a file changes
	@exec $(BIN)/holdfast dev $(if $(PORT),--port $(PORT)) $(ARGS)

.PHONY: check
check: setup ## Everything that judges the code without running it; ARGS="ruff mypy"
	@$(BIN)/python tools/check.py $(ARGS)

.PHONY: test
test: setup ## The whole suite on two processes, with the coverage gate
	@# What pytest makes of each file is kept: 15 s a process otherwise.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest --numprocesses=2 --dist=worksteal --durations=10 \
	  --cov --cov-report= --cov-report=json:.coverage.json $(ARGS)
	@$(BIN)/python tools/coverage_gate.py .coverage.json

.PHONY: test-long
test-long: setup ## The tests that `make test` leaves out, one after the other
	@$(BIN)/pytest -m long --durations=10 $(ARGS)

.PHONY: format
format: setup ## Format the code and mend what ruff can mend by itself
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

.PHONY: bench
bench: setup ## Measure; the figures of docs/reference/performance.md
	@exec $(BIN)/holdfast bench $(ARGS)

.PHONY: lock
lock: ## Resolve pyproject.toml into uv.lock again, then set up
	@$(PYTHON) tools/bootstrap.py lock

.PHONY: clean
clean: ## Remove what was built or cached; the shop's data in .holdfast stays
	@rm -rf .venv .uv .coverage .coverage.* htmlcov dist build \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
