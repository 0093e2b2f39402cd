# Every target works on a fresh clone: it makes .venv from requirements.lock if it is not there.
#   make corpus [CONFIG=configs/workstation.yaml] [OUT=build/workstation] [WORKERS=2]
PYTHON ?= python3
CONFIG ?= configs/workstation.yaml
OUT ?= build/$(basename $(notdir $(CONFIG)))
MANIFEST ?= $(lastword $(sort $(wildcard manifests/sample/*/manifest.json)))
BIN := .venv/bin

.PHONY: corpus browse test fuzz look flips reproduce parity bench bench-html bench-peers lint lock clean
.DELETE_ON_ERROR:

corpus: .venv/.made
	$(BIN)/pellucid build $(CONFIG) --out $(OUT) $(if $(WORKERS),--workers $(WORKERS))

# Every document of a release, kept or dropped, in a web browser; on this machine alone. Ctrl-C ends it.
#   make browse [OUT=build/workstation] [PORT=8377]
browse: .venv/.made
	@$(BIN)/pellucid browse $(OUT) $(if $(PORT),--port $(PORT))

test: .venv/.made
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# New examples, and many, for every property that tests state (`make test` has the same ones in every run); and hostile pages
# through the HTML kernels with bounds checks on.   make fuzz [PAGES=1000000]
fuzz: .venv/.made
	$(BIN)/python -m pytest --numprocesses auto -m hypothesis --hypothesis-profile fuzz
	$(BIN)/python -m checks.fuzz_html --pages $(or $(PAGES),1000000)

# One byte of a signed release changed, 100,000 times: verify must refuse each and name the file. Some minutes.
flips: .venv/.made
	$(BIN)/python -m checks.flips --runs $(or $(RUNS),100000) --mode $(or $(MODE),flip)

reproduce: .venv/.made
	$(BIN)/pellucid reproduce $(MANIFEST) --key manifests/keys --out build/reproduced

# Our rules against the filters that they follow, on every document of two releases (the second needs apt).
parity: .venv/.made .venv-dolma/.made
	$(BIN)/pellucid build configs/workstation.yaml
	$(BIN)/pellucid build configs/multilingual.yaml
	$(BIN)/python bench/parity.py build/workstation build/multilingual
	$(BIN)/python bench/parity_dolma.py build/workstation build/multilingual

# Speed: ours, other libraries and the least that must be done, on the texts of build/workstation. bench/README.md.
bench: .venv/.made .venv-peers/.made .venv-dolma/.made
	$(BIN)/pellucid build configs/workstation.yaml
	$(BIN)/python bench/run.py

# HTML to text: ours and other libraries on benchmarks that you cloned. bench/html/README.md.
#   make bench-html TRUTHS="FOLDER ..." [SYSTEMS=ours,all_text,resiliparse,trafilatura]
bench-html: .venv/.made
	$(BIN)/python bench/html/evaluate.py $(addprefix --truths ,$(TRUTHS)) $(if $(SYSTEMS),--systems $(SYSTEMS))

# The report, the browser and Croissant as people open them: Chromium (Debian's), axe-core, mlcroissant.
# Pictures of what is seen: build/look.
look: .venv/.made .venv-look/.made
	$(BIN)/pellucid build configs/sample.yaml
	.venv-look/bin/python -m pytest look --release $(or $(RELEASE),build/sample)

.venv-look/.made: look/requirements.lock look/package-lock.json
	@command -v chromium >/dev/null || { echo "Chromium is not there; next: apt-get install chromium" >&2; exit 2; }
	@echo "installing what looks at pages into $(@D) and look/node_modules"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@npm ci --prefix look --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

bench-peers: .venv-peers/.made .venv-dolma/.made

# What trains the HTML extractor's model: this project and its lock, and more.
.venv-html/.made: bench/requirements-html.lock .venv/.made
	@echo "installing what trains the HTML extractor into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-%/.made: bench/requirements-%.lock
	@echo "installing what the bench compares with into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@

lint: .venv/.made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Resolves anew for all of Python 3.11 to 3.13; review the difference before you commit it.
lock: .venv/.made
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-emit-index-url --no-annotate --quiet --output-file requirements.lock

clean:
	rm -rf .venv .venv-peers .venv-dolma .venv-html .venv-look look/node_modules build

.venv/.made: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else \
		f"{sys.executable} is Python {v[0]}.{v[1]}; wanted: 3.11 to 3.13; next: make PYTHON=python3.12 ...")'
	@echo "installing the locked environment into .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pipeline.kernels.warm
	@touch $@
