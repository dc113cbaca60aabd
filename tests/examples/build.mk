# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the examples without TLS: neither the module nor a network is needed. They use the
# programs of the build they lie in.

example_tests := $(basename $(notdir $(filter-out %/tap.py,$(wildcard tests/examples/*.py))))

$(example_tests:%=$(BUILD)/tests/%): $(BUILD)/tests/%: tests/examples/%.py $(BUILD)/tests/tap.py \
		$(BUILD)/bin/https-server $(BUILD)/bin/fetch $(BUILD)/bin/find-plaintext
	@mkdir -p $(@D)
	install -m 755 $< $@

$(BUILD)/tests/tap.py: tests/examples/tap.py
	@mkdir -p $(@D)
	install -m 644 $< $@

TESTS += $(example_tests:%=$(BUILD)/tests/%)
