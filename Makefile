# `make demo` and `make test` are all the set-up there is: Debian 12 or Raspberry Pi OS, Python 3.11+, make, git.
SHELL := /bin/bash
bin := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo story test check bench soak crash world vm lock wheel deb sbom release clean

help:  ## this list
	@grep -hE '^[a-z]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+): .*## (.*)/  make \1\t\2/' | expand -t 16

setup:  ## .venv and whatever the system lacks, for running
	@.ci/setup

demo: setup  ## the whole product on this machine, with a simulated cabinet to click on
	@exec $(bin)/hw-sim demo

story: setup  ## the same, played through by itself, faults included; then journal against ledger
	@exec $(bin)/hw-sim story

test:  ## every test
	@.ci/setup --dev
	@$(bin)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

check:  ## the gate: format, lint, types, imports, spelling, secrets, tidiness
	@.ci/setup --dev
	@.ci/check

measure := -m pytest --timeout=0 --capture=no --quiet tests/bench

bench:  ## the figures, each against its limit; about 25 minutes
	@.ci/setup --dev
	@$(bin)/python $(measure) -o python_files='bench_*.py' --figures=.cache/bench.json

soak:  ## what is too long for the test run, then worlds until Ctrl-C; resumable; TIMES=10 for ten times as long
	@.ci/setup --dev
	@exec $(bin)/python -m tests.bench.soak $(or $(TIMES),1)

crash:  ## power cuts under the journal, on all cores: N=1000000; FIRST=123 to go on with that life
	@.ci/setup --dev
	@$(bin)/python -m tests.power.crash $(or $(N),100000) $(or $(FIRST),0)

world:  ## worlds that try to break it, on all cores: SEED=17 DAYS=3 N=8; FOREVER=1 until stopped, resumable
	@.ci/setup --dev
	@$(bin)/python -m tests.world $(SEED) $(if $(DAYS),--days $(DAYS)) $(if $(N),--n $(N)) $(if $(FOREVER),--forever)

vm:  ## a bare Debian under an emulator becomes a locker in service; needs root; CHROOT=1 is quicker, AGAIN=1 even more
	@.ci/setup --vm
	@exec $(bin)/python -m tests.vm $(if $(AGAIN),--again) $(if $(CHROOT),--chroot)

boxes:  ## a hub and a locker, each under a systemd of its own in name spaces, and a release on trial; needs root
	@.ci/setup --vm
	@exec $(bin)/python -m tests.vm.boxes

lock:  ## pin dependencies anew after a change of pyproject.toml
	@.ci/lock $(if $(UPGRADE),--upgrade)

wheel:  ## the Python packages, into build/
	@.ci/setup
	@systemd/pack wheel

deb:  ## Debian packages: the software, a locker, a hub; into build/
	@.ci/setup
	@systemd/pack deb

sbom:  ## the bill of materials, CycloneDX; into build/
	@.ci/setup
	@systemd/pack sbom

release:  ## one signed file for `systemd/update install`: KEY=release.pem; MACHINE=aarch64 PY=3.11 WHEELS=DIR
	@.ci/setup
	@systemd/pack release --key $(or $(KEY),$(error KEY=FILE: openssl genpkey -algorithm ed25519 -out FILE)) \
	  $(if $(MACHINE),--machine $(MACHINE)) $(if $(PY),--python $(PY)) $(if $(WHEELS),--wheels $(WHEELS))

clean:  ## away with .venv, caches and demo state
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build demo-state *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
