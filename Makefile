# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make run    sets up and starts Madoguchi with the sample town
#   make test   sets up and runs every test

PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9

.PHONY: run test lint assets lock bench eval crash audit sbom clean

run: .venv/ready-run assets
	@$(BIN)/madoguchi serve

test: .venv/ready-dev assets lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

crash: .venv/ready-dev
	@$(BIN)/python -m tests.crash.drill --engine sqlite
	@$(BIN)/python -m tests.crash.drill --engine postgres

audit: .venv/ready-dev
	@$(BIN)/python -m tests.security.supply audit

sbom: .venv/ready-dev
	@$(BIN)/python -m tests.security.supply sbom var/sbom.json

eval bench: .venv/ready-dev
	@$(BIN)/madoguchi $@

.venv/bin/uv:
	@echo "[1/3] Python の環境を作っています / making the Python environment"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The import compiles what a start needs, once: where an environment forbids that, every start would compile it anew, for some seconds.
.venv/ready-run: .venv/bin/uv requirements.lock
	@echo "[2/3] 部品を入れています（はじめは1〜2分）/ installing locked packages"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c "import bot.start, bot.channels.line, bot.channels.telegram"
	@touch $@

.venv/ready-dev: .venv/ready-run requirements-dev.lock
	@echo "[2/3] 試験の部品を入れています / installing test packages"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

assets: bot/desk/static/npm/tokens.css

bot/desk/static/npm/tokens.css: package-lock.json bot/desk/fetch_npm.py
	@echo "[3/3] 画面の色と大きさの部品を入れています / fetching design tokens"
	@$(BIN)/python -m bot.desk.fetch_npm

lock: .venv/bin/uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 pyproject.toml --group build -o requirements.lock --no-emit-index-url --custom-compile-command 'make lock'
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 pyproject.toml --group build --group dev -o requirements-dev.lock --no-emit-index-url --custom-compile-command 'make lock'

clean:
	rm -rf .venv var node_modules bot/desk/static/npm
