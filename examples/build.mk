# SPDX-License-Identifier: GPL-2.0-only
#
# The examples. They link the handshake engine, so the binaries are GPL-3.0-or-later.

$(BUILD)/bin/https-server: $(BUILD)/obj/examples/http.o $(BUILD)/obj/examples/file.o
$(BUILD)/bin/https-server: EXAMPLE_LIBS := -luring

$(BUILD)/bin/https-server $(BUILD)/bin/fetch: $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o \
		$(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS) $(EXAMPLE_LIBS)

PROGRAMS += $(BUILD)/bin/https-server $(BUILD)/bin/fetch

# The demonstration's search for plaintext on the wire.
$(BUILD)/bin/find-plaintext: $(BUILD)/obj/scripts/demo-parts/find-plaintext.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/bin/find-plaintext
