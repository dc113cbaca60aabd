# SPDX-License-Identifier: GPL-2.0-only
#
# The signet end of the interoperation tests. tests/interop/run drives it, in the virtual machine.

$(BUILD)/bin/interop_peer: $(BUILD)/obj/tests/interop/peer.o $(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS)

PROGRAMS += $(BUILD)/bin/interop_peer

# The GnuTLS of tests/interop/ktls.py, where the virtual machine sees it.
GNUTLS := $(shell scripts/build-gnutls --prefix)
gnutls_files := bin/gnutls-cli bin/gnutls-serv lib/libgnutls.so.30

$(BUILD)/gnutls/%: $(GNUTLS)/%
	@mkdir -p $(@D)
	@cp -L $< $@

TESTS += $(gnutls_files:%=$(BUILD)/gnutls/%)
