# The doors that a person uses. Each one sets up what it needs first; what is done is not done twice.
.POSIX:
.PHONY: help demo test check fuzz fuzz-mqtt bench install lock clean

ARGS =

help:
	@printf '%s\n' \
	  'make demo      a recording and typed sentences, all the way to MQTT' \
	  'make test      every test             (ARGS="-k name" is given to pytest)' \
	  'make check     format, lint, types, imports; the C core under sanitizers, on 64-bit ARM, counted' \
	  'make fuzz      libFuzzer over the C core (ARGS="600 fuzz_program": seconds each, targets)' \
	  'make fuzz-mqtt Hypothesis over what reads and writes MQTT (ARGS="600 states": seconds each, targets)' \
	  'make bench     what sampling, decoding and a command cost, side by side with other ways; MQTT, with a broker' \
	  'make install   as root: the systemd service, in /opt/edged and /etc/edged' \
	  'make lock      requirements.lock anew from pyproject.toml (UPGRADE=1: newest versions)' \
	  'make clean     remove all that was built here; models stay'

demo:
	@scripts/setup.sh run
	@scripts/models.sh
	@.venv/bin/edged demo $(ARGS)

test:
	@scripts/setup.sh dev
	@scripts/models.sh
	@.venv/bin/python -m pytest $(ARGS)

check:
	@scripts/setup.sh dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy scripts/build_llama.py
	.venv/bin/lint-imports
	.venv/bin/codespell
	tests/core/run.sh
	PYTHON="$$PWD/.venv/bin/python" tests/core/run.sh asan-extension
	.venv/bin/python -m pytest -q tests/unit/ops/test_unit_file.py

fuzz:
	@tests/fuzz/run.sh $(ARGS)

fuzz-mqtt:
	@scripts/setup.sh dev
	@.venv/bin/python -m tests.fuzz.test_mqtt $(ARGS)

bench:
	@scripts/setup.sh bench
	@scripts/models.sh
	@.venv/bin/edged bench core $(ARGS)
	@.venv/bin/edged bench decode $(ARGS)
	@.venv/bin/edged bench command --stream $(ARGS)
	@scripts/with_broker.sh .venv/bin/edged bench mqtt $(ARGS)

install:
	@scripts/install.sh

lock:
	@UPGRADE=$(UPGRADE) scripts/lock.sh

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find edged tests scripts -name __pycache__ -prune -exec rm -rf {} +
	find edged tests -name '*.so' -delete -o -name '*.o' -delete
	rm -f edged/core/_core.c
