# make env    the environment in .venv (CPU torch, no GPU packages), and nothing else
# make adapt  the whole graph on the hexapod's twin, a leg lost half way; REPORT=DIR
# make test   every test but those marked slow; make test-slow: those
# make lint   ruff, mypy and the order of imports
# make site   the documentation as pages, in build/site

PYTHON ?= python3
REPORT ?= runs/adapt
# Processes that tests run in; who is done early takes over from the other.
JOBS ?= 2
# Where the default index would serve torch with gigabytes of GPU libraries, name one that serves
# CPU builds: make env TORCH_INDEX=URL
TORCH ?= torch==2.13.0
TORCH_INDEX ?=

# A sourced ROS 2 distribution brings rclpy along; otherwise it comes as wheels.
HAS_ROS := $(shell $(PYTHON) -c 'import rclpy' 2>/dev/null && echo yes)

comma := ,
EXTRAS := train,rl,hardware,view,dev$(if $(HAS_ROS),,$(comma)ros)
BIN := .venv/bin
STAMP := .venv/.made-by-setup
DOCS := .venv/.docs-by-setup

.PHONY: env adapt test test-slow lint site clean

env: $(STAMP)

$(STAMP): setup.py
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 13) else \
	  "Python 3.10 to 3.13 expected, found " + sys.version.split()[0] + ": make env PYTHON=...")'
	$(PYTHON) -m venv $(if $(HAS_ROS),--system-site-packages) .venv
	$(BIN)/pip install -q $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) '$(TORCH)'
	$(BIN)/pip install -q -e '.[$(EXTRAS)]'
	touch $@

# What the pages need, and nothing else does.
$(DOCS): $(STAMP)
	$(BIN)/pip install -q -e '.[docs]'
	touch $@

adapt: env
	$(BIN)/python -m ros_mbmrl.commands.adapt_demo --report '$(REPORT)'

test: env $(DOCS)
	$(BIN)/python -m pytest -q -m 'not slow' -n $(JOBS) --dist worksteal

test-slow: env
	$(BIN)/python -m pytest -q -m slow --timeout 3600

lint: env
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

site: env $(DOCS)
	$(BIN)/mkdocs build --strict

clean:
	rm -rf .venv build install log *.egg-info
