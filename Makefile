# run: the demonstration on this machine.  test, check, bench: for those who change it.

VENV := .venv
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
PIP := PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 $(VENV)/bin/python -m pip --quiet

.PHONY: run install test check bench node-red coverage lock clean

run: $(VENV)/.installed
	@exec $(VENV)/bin/calejo demo

install: $(VENV)/.installed

test: $(VENV)/.tests-installed
	@exec $(VENV)/bin/python -m pytest -n 3 --dist loadfile $(ARGS)

check: $(VENV)/.tests-installed
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy --no-error-summary

# Too much for every run of the tests: it installs 317 MB.
node-red: $(VENV)/.tests-installed
	@CALEJO_NODE_RED=1 $(VENV)/bin/python -m pytest tests/test_readme.py -k node_red $(ARGS)

bench: $(VENV)/.installed
	@exec $(VENV)/bin/python -m tools.bench $(ARGS)

# The blocks, interpreted: all branches, with the few tests that reach most of them; should that not
# be all, with all tests but random courses, which takes three times as long.
FEW := $(addprefix tests/blocks/test_,$(addsuffix .py,replay alarms alarm_states alarm_hiding \
  alarm_flood absurd_limits change_over emergency_stop median plan power_terms relief \
  relief_speeds runs_on well_level))
coverage: $(VENV)/.tests-installed
	@export NUMBA_DISABLE_JIT=1; \
	measure="$(VENV)/bin/coverage run --append --branch --source=blocks -m pytest -q"; \
	report="$(VENV)/bin/coverage report --fail-under=100 --show-missing --skip-covered"; \
	$(VENV)/bin/coverage erase && $$measure $(FEW) && { $$report || { \
	$$measure $$(grep -L random_courses tests/blocks/test_*.py) && $$report; }; }

# New versions of everything, with the hashes of every file that any Python and machine may pick.
LOCK := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-header --no-annotate
lock:
	@dir=$$(mktemp -d) && trap 'rm -rf $$dir' EXIT && python3 -m venv $$dir && \
	$$dir/bin/python -m pip --quiet install uv && \
	$$dir/bin/$(LOCK) -o requirements.lock && \
	$$dir/bin/$(LOCK) --group test -c requirements.lock -o requirements-test.lock

clean:
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Hashes make the lock the whole truth: another index, or a changed file, can't slip something else in.
$(VENV)/.installed: requirements.lock pyproject.toml $(VENV)/.created
	@echo "Installing packages into $(VENV) (about a minute at first use)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@echo "Compiling the function blocks"
	@$(VENV)/bin/calejo check scan.yaml >/dev/null || true
	@touch $@

$(VENV)/.tests-installed: requirements-test.lock $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PIP) install --require-hashes -r requirements-test.lock
	@touch $@

# Debian ships Python without ensurepip: a venv made then is a broken one, so ask before.
$(VENV)/.created:
	@python=$$(for p in $(PYTHONS); do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done); \
	if [ -z "$$python" ]; then \
	  echo "Python: found $$($(firstword $(PYTHONS)) --version 2>/dev/null || echo none), needed 3.11 or newer (PYTHON=/path/to/python3 names another)" >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "Python: $$python has no venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	$$python -m venv $(VENV)
	@touch $@
