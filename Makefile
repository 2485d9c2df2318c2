# What can be done here. Each target makes its environment first, if it is not there.
# Without make: every recipe below is a plain command, with .venv/bin/python for $(PY).
# On Windows that is .venv\Scripts\python.

PYTHON ?= python3
SEEDS ?= 0-4
THREADS ?= 1,2
CHAPTER ?=
PORT ?= 8000
CHROME ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

PY = .venv/bin/python
PIP = $(PY) -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help book test test-browser lab serve claims bench release grade clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

# The environment: what a reader needs, and, for tests and benchmarks, what they add.
.venv/.installed: requirements.txt pyproject.toml
	@echo "Installing the environment in .venv (a few minutes the first time)"
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "Installing what the tests need"
	@$(PIP) -r requirements-dev.txt
	@touch $@

book: .venv/.installed ## execute what has changed and build the book
	@$(PY) tools/build_book.py

test: .venv/.installed-dev ## everything that needs no browser: style, units, notebooks, structure, the built book
	@$(PY) -m ruff check .
	@$(PY) -m codespell_lib
	@OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile -m "not browser" --cov=course_lib tests
	@OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile --nbval-lax --nbval-current-env --nbval-cell-timeout 300 notebooks

test-browser: .venv/.installed-dev ## the built book and JupyterLab in Chromium (set CHROME to use another one)
	@test -n "$(CHROME)" || { echo "No Chromium found: install one (apt-get install chromium), or set CHROME to its path"; exit 1; }
	@$(PY) tools/build_book.py
	@CHROME="$(CHROME)" OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile -m browser tests

lab: .venv/.installed ## open the notebooks in JupyterLab
	@$(PY) -m jupyter lab notebooks

serve: book ## build the book and serve it at http://localhost:8000 (or PORT)
	@echo "The book is at http://localhost:$(PORT)/ until you press Ctrl-C"
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html 2>/dev/null

claims: .venv/.installed ## check every claim with several seeds and threads: make claims CHAPTER=2 SEEDS=0-9
	@$(PY) tools/claims.py --chapter "$(CHAPTER)" --seeds "$(SEEDS)" --threads "$(THREADS)"

bench: .venv/.installed-dev ## time course_lib beside what people would use instead
	@$(PY) -m benchmarks

release: .venv/.installed-dev ## the problem sets for students and instructors, into assignments/release (COURSE_SECRET=...)
	@$(PY) -m assignments.grading.release

grade: .venv/.installed-dev ## grade a folder of submissions: make grade SUBMISSIONS=dir OUT=dir
	@$(PY) -m assignments.grading.grade "$(SUBMISSIONS)" "$(OUT)"

clean: ## remove what was built; the environment (.venv) stays
	@rm -rf _build assignments/release .pytest_cache .ruff_cache .hypothesis .benchmarks .coverage
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
