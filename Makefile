# SMTPy. `make run` shows it working, `make test` shows that it does. Nothing is installed outside .venv but
# Debian's packages, and those only if missing.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
bin := .venv/bin
pip := $(bin)/pip --disable-pip-version-check --no-input install --quiet

.PHONY: help run test check install docs reference bench texts icons lock audit sbom format clean lint types imports \
    locks ansible-test debian-run debian-test debian-bench debian-ansible

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

run: .venv/run ## start everything, send one message through an alias, stay until Ctrl-C
	@exec $(bin)/python demo/run.py

test: .venv/dev ## every test, those on real Postfix and PostgreSQL included; ARGS="-k srs" for some
	@exec $(bin)/python -m pytest $(ARGS)

check: lint types imports locks ## format, lint, types, import contracts, locks

install: .venv/dev ## only install, into .venv

docs: .venv/dev ## docs/ and the other pages as a site, in build/docs
	@$(bin)/python -m sphinx -c docs -b html -d build/doctrees --fail-on-warning --keep-going --quiet . build/docs

reference: .venv/dev ## write the pages of commands, settings and metrics anew from the code
	@$(bin)/python -m docs.reference

bench: debian-bench .venv/dev ## messages a second against bare Postfix; writes JSON to $$BENCH_JSON
	@exec $(bin)/python -m bench $(ARGS)

ansible-test: debian-ansible .venv/dev ## ansible/ on Debians that systemd has booted: as root, some twenty minutes
	@exec $(bin)/python -m tests.ansible.converge $(ARGS)

texts: .venv/dev ## take new texts of the pages into web/locale/*.po, and tell what is not translated
	@$(bin)/python -m web.texts

icons: .venv/dev ## draw web/static/*.png from icon.svg
	@$(bin)/python -m tests.browser.icons

lock: ## write requirements/*.txt anew from pyproject.toml; ARGS=--upgrade for newer packages
	@requirements/lock $(ARGS)

audit: ## ask the advisory databases about every locked package; needs the world outside
	@requirements/audit

sbom: ## what SMTPy is made of, as CycloneDX on standard output
	@requirements/sbom

format: .venv/dev ## format the source
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

clean: ## forget .venv and all caches
	rm -rf .venv build *.egg-info .*_cache .hypothesis

lint: .venv/dev
	$(bin)/ruff format --check .
	$(bin)/ruff check .

types: .venv/dev
	$(bin)/mypy

imports: .venv/dev
	$(bin)/lint-imports

# A lock says what, never from where.
locks:
	! grep -nE 'https?://|file://|--(extra-)?index-url|--find-links' requirements/*.txt

# --- The virtual environment: built once, filled anew when a lock changes ---------------------------------------

debian-run debian-test debian-bench debian-ansible: debian-%:
	@requirements/debian $*

# The first Python that will do. Debian's own comes first: it is what a server runs, and built with profile-guided
# optimisation, which takes a tenth off what SMTPy does for a message. One built from source as it comes is not.
.venv/made: | debian-run
	@for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "Making .venv with $$($$python -V)"; \
	        $$python -m venv --clear .venv && touch $@; exit; \
	    fi; \
	done; echo "SMTPy needs Python 3.11 or later" >&2; exit 69

# By hash, what builds included: pymilter and SMTPy itself are built with the setuptools of the lock.
define install
	@echo "Installing requirements/$(1).txt"
	@$(pip) --require-hashes -r requirements/build.txt
	@$(pip) --require-hashes --no-build-isolation --use-pep517 -r requirements/$(1).txt
	@$(pip) --no-deps --no-build-isolation --editable .
	@touch $@
endef

.venv/run: requirements/build.txt requirements/run.txt pyproject.toml .venv/made | debian-run
	$(call install,run)

.venv/dev: requirements/build.txt requirements/dev.txt pyproject.toml .venv/made | debian-test
	$(call install,dev)
	@touch .venv/run
