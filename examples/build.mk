# SPDX-License-Identifier: GPL-2.0-only
#
# The examples. Those that link the handshake engine are GPL-3.0-or-later as binaries; those that
# use the socket options alone link nothing of the project, and are MIT.

$(BUILD)/bin/https-server: $(BUILD)/obj/examples/http.o $(BUILD)/obj/examples/file.o
$(BUILD)/bin/https-server: EXAMPLE_LIBS := -luring

$(BUILD)/bin/https-server $(BUILD)/bin/fetch: $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o \
		$(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS) $(EXAMPLE_LIBS)

PROGRAMS += $(BUILD)/bin/https-server $(BUILD)/bin/fetch

by_setsockopt := setsockopt-client setsockopt-server echo-uring hot-restart

$(BUILD)/bin/echo-uring: EXAMPLE_LIBS := -luring

$(by_setsockopt:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/obj/examples/%.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(EXAMPLE_LIBS)

PROGRAMS += $(by_setsockopt:%=$(BUILD)/bin/%)

# The demonstration's search for plaintext on the wire.
$(BUILD)/bin/find-plaintext: $(BUILD)/obj/scripts/demo-parts/find-plaintext.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/bin/find-plaintext
