# `make` lists the targets. ARGS goes to the command behind one: make test ARGS="-k import", make demo ARGS=...
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset smoke test lint format bench messages clean

PYTHON := .venv/bin/python
STEP := deploy/step.sh
# On temporary servers in that directory, so that the demo's data stays untouched.
ON_FRESH_SERVERS = $(PYTHON) -m deploy.embedded run --var

# A .venv whose Python has gone (an upgrade, another machine's mount) is made again.
$(shell $(PYTHON) -c '' 2>/dev/null || rm -f .venv/.ready-run .venv/.ready-dev)

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.venv/.ready-%: uv.lock pyproject.toml deploy/install.sh
	@deploy/install.sh $*

demo: .venv/.ready-run ## Start everything with sample data and a running campaign; Ctrl-C stops it, the data stays
	@$(PYTHON) manage.py demo $(ARGS)

demo-reset: .venv/.ready-run ## Start the demo over with fresh data
	@$(PYTHON) manage.py demo --reset $(ARGS)

smoke: .venv/.ready-run ## Send a campaign to 2,000 contacts over real sockets, print one JSON line
	@$(ON_FRESH_SERVERS) var/smoke -- $(PYTHON) manage.py smoke $(ARGS)

bench: .venv/.ready-run ## Measure the send path (ARGS="send --json" is one JSON line)
	@$(PRODUCTION) $(ON_FRESH_SERVERS) var/bench -- \
		sh -c '$(PYTHON) manage.py migrate -v 0 && $(PYTHON) manage.py bench $(or $(ARGS),send)'

test: .venv/.ready-dev ## Run all tests on servers of their own, or on DATABASE_URL and REDIS_URL
	@deploy/install_chromium.sh
	@$(STEP) "pytest" $(PYTHON) -m pytest -n 3 --dist loadfile $(ARGS)

LINTS := lint-format lint-rules lint-types lint-imports lint-templates lint-migrations lint-deploy
.PHONY: $(LINTS)

lint: .venv/.ready-dev ## Check format, rules, types, imports, templates, migrations and production settings
	@$(MAKE) --keep-going $(LINTS)

lint-format: .venv/.ready-dev
	@$(STEP) "ruff format" $(PYTHON) -m ruff format --check

lint-rules: .venv/.ready-dev
	@$(STEP) "ruff check" $(PYTHON) -m ruff check

lint-types: .venv/.ready-dev
	@$(STEP) "mypy" $(PYTHON) -m mypy

lint-imports: .venv/.ready-dev
	@$(STEP) "import-linter" $(PYTHON) -c "from importlinter.cli import lint_imports_command as run; run()"

lint-templates: .venv/.ready-dev
	@$(STEP) "djlint" $(PYTHON) -m djlint --quiet --check --lint templates

lint-migrations: .venv/.ready-dev
	@$(STEP) "makemigrations --check" $(PRODUCTION) \
		$(ON_FRESH_SERVERS) var/lint -- $(PYTHON) manage.py makemigrations --check --dry-run

lint-deploy: .venv/.ready-dev
	@$(STEP) "check --deploy" $(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

# What a public installation would have in its environment; the keys guard nothing.
PRODUCTION := env \
	SECRET_KEY=this-key-is-for-make-lint-only-0123456789-abcdefghijklmnopqrstuvwxyz \
	FIELD_ENCRYPTION_KEYS=dGhpcy1rZXktaXMtZm9yLW1ha2UtbGludC1vbmx5ISE= \
	PUBLIC_ORIGIN=https://fanfare.example.com \
	DATABASE_URL=postgres://fanfare@127.0.0.1:1/fanfare \
	REDIS_URL=redis://127.0.0.1:1/0

format: .venv/.ready-dev ## Format Python and templates, repair what can be repaired
	@$(PYTHON) -m ruff format
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m djlint --quiet --reformat templates || true # exit code 1 means: something was reformatted

messages: .venv/.ready-dev ## Compile the translations of readers' pages (templates/locale)
	@$(PYTHON) -c "import sys; from babel.messages.frontend import main; sys.argv[1:] = ['compile', '-D', 'django', '-d', 'templates/locale']; main()"

clean: ## Remove .venv, caches and the servers of tests and benchmarks; the demo's data stays
	@if [ -x $(PYTHON) ]; then for name in smoke bench lint test/0 test/1 test/2; do \
		[ ! -d var/$$name ] || $(PYTHON) -m deploy.embedded discard --var var/$$name; done; fi
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -rf var/smoke var/bench var/lint var/test
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
