# SPDX-License-Identifier: GPL-2.0-only
#
# The one entry point for a person. Everything is built under build/, by the compilers of the
# toolchain tree that scripts/setup makes; the rules are in scripts/build.mk.

.DEFAULT_GOAL := all
JOBS ?= $(shell nproc)

.PHONY: all
all: ## build the module for both kernels, the libraries, programs and tests
	@scripts/build

.PHONY: demo
demo: all ## serve and fetch a directory through the module, and look for plaintext on the wire
	@scripts/demo

.PHONY: check-debug
check-debug: all ## run the module's tests on a kernel that watches itself (an hour or two)
	@scripts/setup --debug-kernel
	@scripts/check --debug

.PHONY: check
check: all ## run all tests, natively and in virtual machines with both kernels
	@scripts/check

.PHONY: lint
lint: all ## checkpatch, sparse, W=1, clang-format, shellcheck
	@scripts/lint

.PHONY: bench
bench: all ## instructions per message, beside TCP and kTLS
	@scripts/bench

.PHONY: format
format: ## put C sources into the form that lint asks for
	@scripts/setup --quiet
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs scripts/toolchain clang-format -i

INSTALL_VARIABLES := DESTDIR PREFIX BINDIR SBINDIR LIBDIR INCLUDEDIR DATADIR MANDIR UNITDIR \
	SYSUSERSDIR COMPLETIONDIR SYSCONFDIR SRCDIR KERNEL
export $(foreach name,$(INSTALL_VARIABLES),$(if $($(name)),$(name)))

.PHONY: install
install: ## install what was built, below PREFIX=/usr/local (scripts/install --help)
	@scripts/install

.PHONY: uninstall
uninstall: ## remove it again
	@scripts/install --uninstall

.PHONY: modules_install
modules_install: ## build the module for this machine's kernel, or KERNEL, and install it
	@scripts/install --module

.PHONY: clean
clean: ## remove build/ (the cached trees stay: see scripts/setup --clean)
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z_]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST)
