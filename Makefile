# make app    the page on http://localhost:7860 (GRADIO_SERVER_PORT chooses another port)
# make test   all tests; a browser test needs Chromium
# make bench  speed, as ratios
# make load   50 clients at once: throughput, waiting times, memory
# make attack one client does its worst, and an ordinary visitor beside it is timed
# make lint   ruff and mypy
# make lock   pin again after a change of pyproject.toml
# make notice THIRD_PARTY.txt: the licences of what the app is installed with
# make sbom   sbom.json: the same packages with the hashes of their files, as CycloneDX
#
# uv is used where it is installed, else venv and pip. A second run installs nothing. What is installed has the hashes in
# the lock; uv's own --require-hashes would ask them of the bounds in pyproject.toml, too.

.PHONY: app test bench load attack lint lock notice sbom
.DEFAULT_GOAL := app

PYTHON := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null)
# as in pyproject.toml: TensorFlow has no wheels for other versions
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

app: .venv/app.installed
	@$(PYTHON) -m app.main

test: .venv/tests.installed
	@$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: .venv/tests.installed
	@$(PYTHON) -m tests.bench

load: .venv/tests.installed
	@$(PYTHON) -m tests.load $(ARGS)

attack: .venv/tests.installed
	@$(PYTHON) -m tests.load.attack $(ARGS)

lint: .venv/tests.installed
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

lock: .venv/tests.installed
	@$(PYTHON) -m uv pip compile -q --universal --generate-hashes pyproject.toml -o requirements.txt --no-header
	@$(PYTHON) -m uv pip compile -q --universal --generate-hashes pyproject.toml --extra dev -c requirements.txt \
		-o tests/requirements.txt --no-header

notice: .venv/app.installed
	@$(PYTHON) deploy/notice.py --out THIRD_PARTY.txt

sbom: .venv/tests.installed
	@PYTHONWARNINGS=ignore::UserWarning $(PYTHON) -m uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.txt \
		--pyproject pyproject.toml --mc-type application --output-reproducible --validate -o sbom.json

.venv/app.installed: requirements.txt | $(PYTHON)
.venv/tests.installed: tests/requirements.txt | $(PYTHON)
.venv/%.installed:
	@if ! $(PYTHON) -c '$(SUPPORTED)'; then \
		echo "The environment in .venv does not run Python 3.11, 3.12 or 3.13." >&2; \
		echo "Remove it with: rm -r .venv    and run make again." >&2; exit 1; fi
	@echo "Installing $< into .venv; this takes some minutes the first time."
ifdef UV
	@uv pip install -q --verify-hashes --python $(PYTHON) -r $<
else
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m ensurepip >/dev/null 2>&1 || { \
		echo "The environment in .venv has no pip, and uv is not installed." >&2; \
		echo "Remove it with: rm -r .venv    and run make again." >&2; exit 1; }
	@$(PYTHON) -m pip install -q --require-hashes --disable-pip-version-check -r $<
endif
	@touch $@

$(PYTHON):
ifdef UV
	@uv venv -q --clear --python '>=3.11,<3.14' .venv
else
	@for python in python3.13 python3.12 python3.11 python3 python; do \
		if command -v $$python >/dev/null 2>&1 && $$python -c '$(SUPPORTED)' >/dev/null 2>&1; then \
			if $$python -m venv --clear .venv; then exit 0; fi; \
			rm -rf .venv; \
			echo "$$python is here, but cannot make an environment: its venv module is missing or broken." >&2; \
			echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
		fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 is missing." >&2; \
	echo "On Debian and Ubuntu: apt install python3 python3-venv; or install uv, which brings its own Python." >&2; \
	exit 1
endif
