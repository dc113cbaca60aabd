# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything under $(BUILD). Runs inside the toolchain tree (the top Makefile calls it there),
# in the project's directory, and takes the parts' own rules from userspace/, examples/ and tests/.
#
# A part's build.mk uses the variables below and appends what it makes to
#
#   PROGRAMS  $(BUILD)/bin/...: on PATH in the virtual machine
#   LIBS      $(BUILD)/lib/...: shared libraries, found at run time there too
#   TESTS     $(BUILD)/tests/...: what scripts/check runs
#
# Objects belong in $(BUILD)/obj/<path of the source>.o; the rule for them is here. For a build with
# other flags set BUILD as well: make -f scripts/build.mk BUILD=build/asan SANITIZE=address,undefined

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

BUILD ?= build
SANITIZE ?=
KERNELS := 6.12 7
# What scripts/setup took out of the newest kernel's source.
KERNEL_SOURCE := /usr/share/signet/kernel-source
KSELFTEST := $(KERNEL_SOURCE)/tools/testing/selftests
WOLFSSL ?= $(shell [ ! -x scripts/build-wolfssl ] || scripts/build-wolfssl --prefix)

CC := gcc
AR := ar
CPPFLAGS := -Ikmod/uapi -D_GNU_SOURCE -D_FORTIFY_SOURCE=3
CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack
# For what goes into a shared library, in place of -fPIE and -pie.
SHARED_CFLAGS = $(filter-out -fPIE,$(CFLAGS)) -fPIC
SHARED_LDFLAGS = $(filter-out -pie,$(LDFLAGS)) -shared

ifneq ($(SANITIZE),)
CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=3,$(CPPFLAGS))
CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS += -fsanitize=$(SANITIZE)
endif

PROGRAMS :=
LIBS :=
TESTS :=

-include $(wildcard userspace/build.mk)
-include $(wildcard examples/build.mk)
-include $(wildcard tests/build.mk)

.PHONY: all programs modules
all: modules programs
programs: $(LIBS) $(PROGRAMS) $(TESTS)

$(BUILD)/obj/%.o: %.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.pic.o: %.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SHARED_CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell [ ! -d $(BUILD)/obj ] || find $(BUILD)/obj -name '*.d')

# The module, once per kernel. kbuild writes beside the sources, so each kernel has a tree of links
# to them; what changed is decided by kbuild, the rule below only knows when there is nothing to ask.

KMOD_FILES := Kbuild $(shell find kmod tests/module -type d -o -type f)

modules: $(KERNELS:%=$(BUILD)/stage-%/modules.dep)

define kernel_rules
$(BUILD)/kmod-$(1)/signet.ko: $(KMOD_FILES) $(TOOLCHAIN)/kernels
	@mkdir -p $$(@D)
	@mkdir -p $$(@D)/tests
	@cp -asf $$(CURDIR)/Kbuild $$(CURDIR)/kmod $$(@D)/
	@cp -asf $$(CURDIR)/tests/module $$(@D)/tests/
	@find $$(@D) -xtype l -delete
	$$(MAKE) -C $$(KERNEL_BUILD_$(1)) M=$$(abspath $$(@D)) W=1 $$(KBUILD_FLAGS) modules
	@touch $$@

# What the virtual machine puts into its /lib/modules: the module, and the index with it, made here
# because depmod is slow under emulation.
$(BUILD)/stage-$(1)/modules.dep: $(BUILD)/kmod-$(1)/signet.ko $(GUEST)/kernels
	@scripts/lib/stage-module.sh $$(KERNEL_$(1)) $$(KERNEL_MODULES_$(1)) $$< $$(@D)
endef

define distribution_kernel
KERNEL_$(1) := $(shell sed -n 's/^$(1) //p' $(TOOLCHAIN)/kernels)
KERNEL_BUILD_$(1) = /lib/modules/$$(KERNEL_$(1))/build
KERNEL_MODULES_$(1) = $(GUEST)/root/usr/lib/modules/$$(KERNEL_$(1))
$(call kernel_rules,$(1))
endef

$(foreach kernel,$(KERNELS),$(eval $(call distribution_kernel,$(kernel))))

# The kernel of scripts/setup --debug-kernel, when scripts/vm asks for it.
ifneq ($(DEBUG_KERNEL),)
KERNEL_debug := $(shell cat $(DEBUG_KERNEL)/release)
KERNEL_BUILD_debug := $(DEBUG_KERNEL)/build
KERNEL_MODULES_debug := $(DEBUG_KERNEL)/modules
$(eval $(call kernel_rules,debug))
endif
