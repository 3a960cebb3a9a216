# make run: set everything up and open the dashboard.   make test: set everything up and pass all tests.
PYTHON ?= python3
PORT ?= 8501
WORKERS ?= 3  # processes that test at once, about 1.5 GB each; browser tests wait half of their time
# Without files of bytecode each process that the tests start, a thousand, would compile the program for itself.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin

TESTS := tests --ignore tests/browser

.PHONY: setup run test test-windows check kernels clean

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

# Windows' rules for text and files, on Linux: docs/windows.md.   One part: make test-windows TESTS=tests/workbench/uploads
test-windows: setup
	mkdir -p $(VENV)/locales
	localedef -i de_DE -f CP1252 $(VENV)/locales/de_DE.CP1252
	LOCPATH=$(CURDIR)/$(VENV)/locales LC_ALL=C.UTF-8 PYTHONUTF8=0 PYTHONIOENCODING=cp1252 PYTHONWARNDEFAULTENCODING=1 \
		PYTHONPATH=tests/windows $(BIN)/python -m pytest -p file_rules -n $(WORKERS) --dist loadfile $(TESTS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
