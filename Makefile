# Every path is relative, so that the project may lie below a folder with a space in its name.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
ARGS ?=

export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test check up down bench docs clean lock

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

install: .venv/installed ## Put everything the project needs into .venv

demo: install ## Tell the whole story on the sandbox, from nothing
	$(BIN)/concord demo $(ARGS)

# One more than CI has cores: tests wait for servers, processes and locks.
test: install ## Run every test (ARGS="-k name" runs some)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: install ## Check style, types, layers, SQL and the gates' files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_project
	$(BIN)/dbt --quiet --warn-error parse --project-dir dbt_project --profiles-dir dbt_project
	$(BIN)/python -m flows.gates.stamp && git diff --exit-code -- expectations

up: install ## Start Postgres, Prefect's server with its UI, and a worker
	$(BIN)/concord up

down: install ## Stop what `make up` started
	$(BIN)/concord down

bench: install ## Measure the performance budget
	$(BIN)/concord bench $(ARGS)

docs: install ## Build the data catalogue and say where it is
	@$(BIN)/python -c 'from flows.core.dbt import run_dbt, target_path; \
		from flows.gates import docs; \
		from flows import explaining; \
		from flows.metrics import catalogue; \
		run_dbt(["docs", "generate", "--static"]); \
		print("Data catalogue:", target_path() / "static_index.html"); \
		print("Metric catalogue:", catalogue.build()); \
		print("Where columns come from:", explaining.build_page()); \
		print("What the gates saw:", docs.build())'

lock: install ## Resolve the newest allowed versions into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --python-version 3.11 --upgrade --quiet \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock

clean: ## Remove everything that was built or installed; data in .concord stays
	rm -rf .venv .ruff_cache .mypy_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf dbt_project/target dbt_project/logs logs expectations/uncommitted
	find flows tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Without --no-deps the lock would not install: it leaves out a parser that dbt-core asks for and
# that Concord never calls. Byte code is made here because it halves every start-up afterwards.
.venv/installed: requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Concord needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv \
		|| { rm -rf .venv; echo "Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-compile -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -qq -j 0 .venv/lib flows || true
	@touch $@
