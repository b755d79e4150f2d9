# Needs Python 3.11 or newer and make, nothing else; `make PYTHON=...` chooses the interpreter.
#
# The first `make lab` or `make test` installs the packages, at the versions in requirements.txt,
# into .venv. The stamp .venv/.installed is written last and holds the path of this folder; without
# it, as after an interrupted set-up, the next call starts again from an empty .venv.

.PHONY: help lab app site test test-all clean

help:
	@echo "make lab       open the notebooks in JupyterLab (on a server: make lab ARGS=--no-browser)"
	@echo "make app       open the deletion explorer as a page of its own (ARGS as above)"
	@echo "make site      build the course and the API as pages, into build/site"
	@echo "make test      check style, run the tests, run every notebook and compare its outputs"
	@echo "make test-all  the same, and the tests that take longer"
	@echo "make clean     remove .venv and the caches"

# The kernel named python3 must be the one of .venv, whatever kernels the user has installed.
unexport MPLBACKEND # notebooks show their figures, whatever else the user draws with
JUPYTER = JUPYTER_PATH="$(CURDIR)/.venv/share/jupyter" .venv/bin/python -m

# JupyterLab wants to be told that root may run it: in a container there is nobody else.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

lab: .venv/.installed
	$(JUPYTER) jupyterlab notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb $(AS_ROOT) $(ARGS)

# The page is run once before it is served, so that its sketch is there for the first visitor. The
# kernel of a visitor who has left is stopped after two minutes.
CULL = --MappingKernelManager.cull_idle_timeout=120 --MappingKernelManager.cull_interval=30

app: .venv/.installed
	@echo "Preparing the page: half a minute the first time."
	$(JUPYTER) nbconvert --execute --to notebook --stdout --log-level WARN notebooks/app.ipynb > /dev/null
	$(JUPYTER) sketchlab.serving notebooks/app.ipynb $(CULL) $(ARGS)

# From the stored outputs: no notebook is run. A warning is an error.
site: .venv/.installed
	rm -rf build/site docs/api
	.venv/bin/python -m sphinx -c docs -d build/doctrees -E -W --keep-going -q . build/site
	@echo "open build/site/index.html"

# One thread for linear algebra and no progress bars: the outputs are the same in every run. Two
# processes share the files of tests and the notebooks; the last lessons take longest and go first.
WORKERS = 2
PYTEST = OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 TQDM_DISABLE=1 .venv/bin/python -m pytest \
    -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=15
NBVAL = --nbval --nbval-current-env --nbval-cell-timeout=300 \
    --nbval-sanitize-with=notebooks/sanitize.cfg

test: .venv/.installed
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	$(PYTEST)
	$(PYTEST) $(NBVAL) $$(ls -r notebooks/*.ipynb)

test-all: test
	$(PYTEST) -m long

clean:
	rm -rf .venv build docs/api .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -r {} +

PYTHONS = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
IS_RECENT = import sys; sys.exit(sys.version_info < (3, 11))

# A moved folder or a replaced interpreter breaks .venv: then its stamp goes.
$(shell test "$$(cat .venv/.installed 2>/dev/null)" = "$$(pwd -P)" && \
    .venv/bin/python -c "" 2>/dev/null || rm -f .venv/.installed)

.venv/.installed: pyproject.toml requirements.txt
	@test -f $@ && exit; \
	for python in $(PYTHONS) ""; do "$$python" -c '$(IS_RECENT)' 2>/dev/null && break; done; \
	if test -z "$$python"; then \
	    echo "No Python 3.11 or newer among: $(PYTHONS). Give one with make PYTHON=..." >&2; exit 1; \
	fi; \
	if ! "$$python" -c "import ensurepip, venv" 2>/dev/null; then \
	    echo "$$python has no venv module (on Debian or Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi; \
	"$$python" -m venv --clear .venv
	@rm -f $@
	.venv/bin/python -m pip install --disable-pip-version-check -c requirements.txt -e '.[test]'
	@pwd -P > $@
