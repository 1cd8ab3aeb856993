# Everything runs in .venv, which each target creates or updates automatically.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UV := uv==0.13.9
COVERAGE := coverage~=7.17

.PHONY: help demo test simulate cluster bench check audit run lock clean fuzz hostile image-check messages unreached

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/sandbox.done ## try the bot in your browser, without a Discord account or a key (ARGS=--tour: with the tour; ARGS=--once: only the tour)
	@$(BIN)/python -m sandbox $(ARGS)

test: $(VENV)/dev.done ## run the tests
	@# Compiled modules are kept even where the environment forbids it: each worker would compile them all anew.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

simulate: $(VENV)/dev.done ## run simulated days of the bot with faults and kills from seeds, and compare the books (ARGS="--seeds 100 --days 1": an hour and a half)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -W ignore -m tests.simulation $(ARGS)

unreached: $(VENV)/dev.done ## list the lines of the bot that neither the tests of promises nor the simulation reach (many minutes)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(COVERAGE)"
	$(BIN)/python -m coverage run --source=bot,cogs -m pytest -q -n 0 -m promise $(ARGS)
	@$(BIN)/python -W ignore -m coverage run --append --source=bot,cogs -m tests.simulation --seed 1 --days 0.25 --pace 4
	@$(BIN)/python -m coverage report --show-missing --skip-covered

cluster: $(VENV)/dev.done ## kill, stop and replace processes that share a PostgreSQL, and compare the results (minutes)
	CLUSTER_IN_EARNEST=1 $(BIN)/python -m pytest -s -n 0 tests/cluster/test_processes.py -k nothing_is_lost $(ARGS)

bench: $(VENV)/dev.done ## compare the lane with other policies, and measure the bot on this machine (half an hour; ARGS=--quick: minutes)
	@$(BIN)/python -m bench $(ARGS)
	@$(BIN)/python -W ignore -m bench.realtime

hostile: $(VENV)/dev.done ## send hostile files through the bot, beside ordinary photos (minutes)
	HOSTILE_FILES=all HOSTILE_EXAMPLES=3000 $(BIN)/python -m pytest -v tests/hostile tests/media/test_broken_pictures.py $(ARGS)

image-check: $(VENV)/dev.done ## build the image with Debian's tools, and run it in the sandbox's Discord and Studii (minutes, as root)
	@$(BIN)/python -W ignore -m tests.image $(ARGS)

fuzz: $(VENV)/dev.done ## check the ledger over 100,000 random steps, and groups of requests in 200 stories (many minutes)
	FUZZ_STEPS=100000 $(BIN)/python -m pytest -s tests/credits/test_books.py \
		tests/jobs/test_accept.py $(ARGS)

check: $(VENV)/dev.done ## check style, types, import rules, unused code, translations, and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/pyright
	@$(BIN)/python -m tests.support.messages check
	$(BIN)/hadolint Dockerfile
	@if command -v promtool >/dev/null; then promtool check rules deploy/prometheus/alerts.yml \
		&& promtool test rules deploy/prometheus/alerts_test.yml \
		&& for one in deploy/prometheus/scrape/*.yml; do promtool check config --syntax-only $$one || exit 1; done \
		&& $(BIN)/python -c "from bot.monitoring import Metrics; print(Metrics().render({}).decode())" | promtool check metrics; \
	else echo "promtool isn't installed: the alert rules and the dashboard are not checked."; [ -z "$$CI" ]; fi
	@if command -v systemd-analyze >/dev/null; then systemd-analyze security --offline=yes --threshold=20 --no-pager \
		deploy/systemd/studii.service >/dev/null || { echo "The systemd unit allows more than it did."; exit 1; }; \
		systemd-analyze verify --man=no deploy/systemd/studii-backup.*; fi
	@if command -v kubectl >/dev/null && command -v kubernetes-validate >/dev/null; then \
		for folder in kubernetes kubernetes-cluster; do \
			kubectl kustomize deploy/$$folder | kubernetes-validate --strict /dev/stdin || exit 1; echo; done; \
	else echo "kubectl or kubernetes-validate isn't installed: the manifests for Kubernetes are not checked."; fi

audit: $(VENV)/dev.done ## ask whether a locked package has a known vulnerability (needs a network)
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements/dev.txt

run: $(VENV)/bot.done ## run the bot with the settings in .env
	@$(BIN)/python -m bot run

messages: $(VENV)/dev.done ## gather the sentences for translators, and compile the translations
	@$(BIN)/python -m tests.support.messages update

lock: $(VENV)/dev.done ## update the locked versions in requirements/
	$(BIN)/python -m pip install --quiet $(UV)
	$(call compile,bot,)
	$(call compile,sandbox,--group sandbox)
	$(call compile,dev,--group dev)

compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --upgrade \
	--no-header --no-annotate pyproject.toml $(2) --output-file requirements/$(1).txt

clean: ## remove the files that these targets created
	rm -rf $(VENV) demo-output .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# The mark is written last, so an interrupted setup runs again.
$(VENV)/%.done: requirements/%.txt | $(VENV)/python.done
	@echo "Setting up $(VENV) for the $* (once, about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/python.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
