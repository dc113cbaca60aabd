# SPDX-License-Identifier: GPL-2.0-only
#
# The signet end of the interoperation tests. tests/interop/run drives it, in the virtual machine.

$(BUILD)/bin/interop_peer: $(BUILD)/obj/tests/interop/peer.o $(LIBHANDSHAKE) $(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(HANDSHAKE_LIBS)

PROGRAMS += $(BUILD)/bin/interop_peer
