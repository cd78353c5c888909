# Every target sets up what it needs: `make demo` and `make test` work as the first command on a fresh clone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Where it is set, every process would compile all libraries anew: seconds for each.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
PYTEST := $(PY) -m pytest
WORKERS ?= 2
ARGS ?=
SEED ?= 1
# A disk can only be full where root can mount one of bounded size.
CHAOS := --seed $(SEED) --disks $(if $(filter 0,$(shell id -u)),2,0)

.PHONY: help setup demo up down test test-unit test-contract test-integration test-e2e test-pages test-kafka chaos \
	chaos-sample chaos-campaign proof coverage \
	check fmt requirements docs lock bench-collector bench-scoring bench-trigger bench-plans \
	bench-dispatch bench-chain bench-growth bench-backtest bench-pages lighthouse pictures clean

help:
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make \033[36m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

##@ Try it
demo: setup ## 90 days of a small company's life in three minutes; stays up until Ctrl-C
	@$(PY) -m demo.run

up: setup ## the five services on one port, with PostgreSQL, broker and mail sink
	@.venv/bin/afterword up $(ARGS)

down: setup ## stop what make up left running
	@.venv/bin/afterword down $(ARGS)

##@ Test
test: setup ## everything but the real Apache Kafka, pages in Chromium and queries in Prometheus included
	@tools/programs.sh
	@rm -f .requirements.json
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not kafka and not chaos" $(ARGS)
	@echo "next: make requirements (what is proven), make check (lint and types), make test-kafka (real broker), make demo"

test-unit: setup ## pure rules, no socket; seconds
	@$(PYTEST) -q tests/unit $(ARGS)

test-contract: setup ## one suite over each real thing and its stand-in
	@$(PYTEST) -q tests/contract $(ARGS)

test-integration: setup ## handlers, stores and HTTP on a real PostgreSQL
	@$(PYTEST) -q -n $(WORKERS) --dist loadgroup tests/integration $(ARGS)

test-e2e: setup ## the five services together, on the embedded broker
	@$(PYTEST) -q -n $(WORKERS) --dist loadgroup tests/e2e -m "not kafka and not chaos" $(ARGS)

test-pages: setup ## the pages in headless Chromium
	@tools/programs.sh
	@$(PYTEST) -q tests -m browser $(ARGS)

test-kafka: setup ## end to end and delivery on a real Apache Kafka (Java 17, Maven); error 3 says they are missing
	@tests/kafka/run.sh $(ARGS)

# A single death at the first time is a part of those at the first, second and tenth time. A story of deaths waits
# more than it works, so twice as many workers as for other tests.
chaos: setup ## the gate of reliability, F1 to F9, on a fleet of real processes; SEED=1 gives its schedule
	@$(PYTEST) -q -n $$((2 * $(WORKERS))) --dist loadgroup tests/e2e/test_failpoints.py tests/chaos -k "not a_death_changes_nothing"
	@$(PY) -m tests.chaos $(CHAOS) --kills 60 --stops 2 --postgres 20 --brokers 10 --losses 5 --links 50 --mails 7 --clocks 12 \
	  --rolls 1 --soak 120 --rate 2 $(ARGS)

chaos-sample: setup ## a part of it in five minutes
	@$(PY) -m tests.chaos --seed $(SEED) --kills 8 --postgres 2 --brokers 1 --losses 1 --links 6 --mails 2 --clocks 2 \
	  --rolls 1 --rate 2 $(ARGS)

chaos-campaign: setup ## one run of the long campaign, kept in docs/proof; SEED=... for each
	@$(PY) -m tests.chaos $(CHAOS) --kills 50 --stops 3 --postgres 9 --brokers 5 --losses 2 --links 35 --mails 7 --rate 2 \
	  --results docs/proof $(ARGS)
	@$(MAKE) proof

proof: setup ## write docs/proof.md from the results in docs/proof
	@$(PY) -m tests.chaos.proof

coverage: setup ## make test, with the branches that no test takes
	@tools/programs.sh
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not kafka and not chaos" --cov --cov-report=term $(ARGS)

##@ Work on it
check: setup ## lint, format, types, architecture, generated docs
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m tools.docs --check
	@echo "check: all well"

fmt: setup ## mend what can be mended by itself
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

requirements: setup ## R1 to R95, each with the tests that prove it
	@$(PY) -m tools.requirements $(ARGS)

docs: setup ## write the generated documents, schemas and dashboard anew
	@$(PY) -m tools.docs

lock: setup ## pin dependencies anew after a change of pyproject.toml (ARGS=--upgrade for newer ones)
	@tools/lock.sh $(ARGS)

##@ Measure
bench-collector: setup ## answers made durable, against FastAPI with one INSERT
	@$(PY) -m benchmarks.collector $(ARGS)

bench-scoring: setup ## responses scored, against FastStream and Quix
	@tools/rivals.sh
	@$(PY) -m benchmarks.scoring $(ARGS)

bench-trigger: setup ## touchpoints planned, against FastStream that only counts
	@tools/rivals.sh
	@$(PY) -m benchmarks.trigger $(ARGS)

bench-plans: setup ## due plans: against pgqueuer and procrastinate, among ten million, under an old snapshot
	@tools/rivals.sh
	@$(PY) -m benchmarks.plans $(ARGS)

bench-dispatch: setup ## mails worded, built and handed over, against EmailMessage and aiosmtplib
	@$(PY) -m benchmarks.dispatch $(ARGS)

bench-chain: setup ## an unhappy answer until somebody is told, against the bare chain of stores
	@$(PY) -m benchmarks.chain $(ARGS)

bench-growth: setup ## the cost of an answer and of the score page at ten million answers
	@$(PY) -m benchmarks.growth $(ARGS)

bench-backtest: setup ## a year of 100,000 people let happen again, against a million events a minute
	@$(PY) -m benchmarks.backtest $(ARGS)

bench-pages: setup ## server time and bytes of the pages of reps and readers at a million answers
	@$(PY) -m benchmarks.pages $(ARGS)

pictures: setup ## the screenshots of docs/pictures that tests take on their way (needs Chromium)
	@.venv/bin/python -m pytest -q --basetemp .artifacts/pictures tests/pages/test_alert_pages.py -k three_taps
	@cp .artifacts/pictures/*0/three-taps-*.png docs/pictures/

lighthouse: setup ## what Lighthouse says of the pages that customers see, on a slow phone (needs npm)
	@tools/lighthouse.sh $(ARGS)

##@ Tidy
setup: ## .venv with every dependency at its pinned hash (other targets do this themselves)
	@tools/setup.sh

clean: ## remove what was built or recorded; running services are left alone
	@rm -rf .demo .artifacts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* htmlcov .requirements.json
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
