# Everything this project needs is under .venv and runs/, but for built server environments: those
# are shared between checkouts, under the user's data folder (or CURATE_ENVIRONMENTS).
PYTHON ?= python3
BIN := .venv/bin
export CURATE_HOME ?= $(CURDIR)/runs/home
export TOKENIZERS_PARALLELISM := false
# Images of machines often set it. The environment is filled uncompiled, so without a cache every
# process would compile again all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo demo-chinese demo-images test suite check lint docs mutants attack bench chaos stop clean

# The whole loop on real data, through a real annotation server (see README).
demo: .venv/ready
	$(BIN)/python -m recipes.demo english runs/demo

# The same loop offline, on Chinese reviews.
demo-chinese: .venv/ready
	$(BIN)/python -m recipes.demo chinese runs/demo-chinese

# The loop over pictures, through a real annotation server; labels are the names of their folders.
demo-images: .venv/ready
	$(BIN)/python -m recipes.demo images runs/demo-images

# Everything that CI runs: lint, types, all tests, real servers and browser included.
test: .venv/ready
	$(MAKE) -j 2 lint suite

# Live tests come first and often wait, so there are more runners than cores; each has servers of its
# own, and the tests of a file stay together, since they share what they set up.
suite: .venv/ready
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# The quick part.
check: lint
	$(BIN)/pytest -n 2 --dist worksteal -m "not live and not browser and not slow"

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The documentation as a site, under runs/site; its reference pages are made from the code.
docs: .venv/ready
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

# Breaks lines on purpose, one by one, and tells those that no test sees (some ten minutes).
mutants: .venv/ready
	$(BIN)/python -m tests.mutants

# Hostile files, tampered exports and damaged workspaces: what was tried, and what held.
attack: .venv/ready
	$(BIN)/python -m tests.attack

bench: .venv/ready
	$(BIN)/python -m tests.benchmarks.sentiment
	$(BIN)/python -m tests.benchmarks.chinese
	$(BIN)/python -m tests.benchmarks.telling
	-$(BIN)/python -m tests.benchmarks.crowds
	-$(BIN)/python -m tests.benchmarks.heads
	-$(BIN)/python -m tests.benchmarks.calibration
	-$(BIN)/python -m tests.benchmarks.label_errors
	-$(BIN)/python -m tests.benchmarks.label_efficiency
	-$(BIN)/python -m tests.benchmarks.estimates
	$(BIN)/python -m tests.benchmarks.coverage
	$(BIN)/python -m tests.benchmarks.mixtures
	$(BIN)/python -m tests.benchmarks.dynamic
	-$(BIN)/python -m tests.benchmarks.proxies ../shared/data
	$(BIN)/python -m tests.benchmarks.sampling
	-$(BIN)/python -m tests.benchmarks.rules
	-$(BIN)/python -m tests.benchmarks.web_quality
	-$(BIN)/python -m tests.benchmarks.language
	-$(BIN)/python -m tests.benchmarks.instruments
	$(BIN)/python -m tests.benchmarks.corpus near
	-$(BIN)/python -m tests.benchmarks.passages
	$(BIN)/python -m tests.benchmarks.corpus whole 1000000
	$(BIN)/python -m tests.benchmarks.corpus whole 4000000
	$(BIN)/python -m tests.benchmarks.flat
	$(BIN)/python -m tests.benchmarks.foreseen
	$(BIN)/python -m tests.benchmarks.redraws
	$(BIN)/python -m tests.benchmarks.starting
	$(BIN)/python -m tests.benchmarks.servers
	$(BIN)/python -m tests.benchmarks.at_work
	@if [ -f ../shared/data/article_extraction/pages.parquet ]; then \
		$(BIN)/python -m tests.benchmarks.html; fi

# Random kills, then the same run again.
chaos: .venv/ready
	$(BIN)/python -m tests.chaos

stop:
	@if [ -x $(BIN)/curate ]; then \
		$(BIN)/curate server stop label_studio; $(BIN)/curate server stop argilla; fi

clean: stop
	rm -rf runs .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch comes first and by itself: a range could resolve to a build of several gigabytes. The list is
# complete, so two installers share it and look for nothing more. Python compiles what is imported
# when it is imported: to compile all packages takes most of the time.
INSTALL := $(BIN)/pip install -q --disable-pip-version-check --no-compile
.venv/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) "$$(grep '^torch==' requirements.txt)"
	grep -v '^#' requirements.txt | xargs -P 2 -n 110 $(INSTALL) --no-deps
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@
