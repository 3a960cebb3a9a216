# make run: set everything up and open the dashboard.   make test: set everything up and pass all tests.
PYTHON ?= python3
PORT ?= 8501
WORKERS ?= 3  # processes that test at once, about 1.5 GB each; browser tests wait half of their time
# Without files of bytecode each process that the tests start, a thousand, would compile the program for itself.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run test check kernels clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	touch $@

run: setup
	$(BIN)/python -m workbench prepare-sample
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

kernels: setup
	$(BIN)/python -m tests.kernels

test:
	$(MAKE) --jobs 2 check kernels
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m tests.workbench.postgresql
	$(BIN)/python -m tests.browser.identity
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
