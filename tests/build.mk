# SPDX-License-Identifier: GPL-2.0-only
include $(wildcard tests/*/build.mk)
