# SPDX-License-Identifier: GPL-2.0-only
#
# The libraries, as archives and as shared objects: libsignet, and libsignet-handshake, which has
# wolfSSL in it.

CPPFLAGS += -Iuserspace/include -Iuserspace/common

# Asked once, not at each use.
WOLFSSL := $(WOLFSSL)

ifeq ($(WOLFSSL),system)
WOLFSSL_CPPFLAGS := $(shell scripts/system-wolfssl --cflags)
ifneq ($(.SHELLSTATUS),0)
$(error WOLFSSL=system: see above)
endif
WOLFSSL_LIBS := $(shell scripts/system-wolfssl --libs 2>/dev/null)
else
WOLFSSL_CPPFLAGS := -isystem $(WOLFSSL)/include
WOLFSSL_LIBS := $(WOLFSSL)/lib/libwolfssl.a
endif

# A makefile as far as the rules for objects are concerned: another wolfSSL has other headers, and
# everything is built anew.
WOLFSSL_MK := $(BUILD)/wolfssl.mk
$(shell mkdir -p $(BUILD); grep -sqxF 'WOLFSSL := $(WOLFSSL)' $(WOLFSSL_MK) || \
	echo 'WOLFSSL := $(WOLFSSL)' >$(WOLFSSL_MK))
include $(WOLFSSL_MK)

LIBSIGNET := $(BUILD)/lib/libsignet.a
LIBSIGNET_SO := $(BUILD)/lib/libsignet.so.0
LIBHANDSHAKE := $(BUILD)/lib/libsignet-handshake.a
LIBHANDSHAKE_SO := $(BUILD)/lib/libsignet-handshake.so.0

# What a program that handshakes in its own process links, in this order.
HANDSHAKE_LIBS = $(LIBHANDSHAKE) $(LIBSIGNET) $(WOLFSSL_LIBS) -lcrypto -lm -lpthread

libsignet_sources := $(wildcard userspace/libsignet/*.c)
handshake_sources := $(wildcard userspace/handshake/*.c)

$(LIBSIGNET): $(libsignet_sources:%.c=$(BUILD)/obj/%.o)
$(LIBHANDSHAKE): $(handshake_sources:%.c=$(BUILD)/obj/%.o)

$(LIBSIGNET) $(LIBHANDSHAKE):
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/obj/userspace/handshake/%.o: CPPFLAGS += $(WOLFSSL_CPPFLAGS)

$(LIBSIGNET_SO): $(libsignet_sources:%.c=$(BUILD)/obj/%.pic.o) userspace/libsignet/libsignet.map
	@mkdir -p $(@D)
	$(CC) $(SHARED_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=$(lastword $^) -o $@ \
		$(filter %.o,$^)
	@ln -sf $(@F) $(@:.0=)

$(LIBHANDSHAKE_SO): $(handshake_sources:%.c=$(BUILD)/obj/%.pic.o) $(LIBSIGNET_SO) \
		userspace/handshake/libsignet-handshake.map
	@mkdir -p $(@D)
	$(CC) $(SHARED_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=$(lastword $^) -o $@ \
		$(filter %.o,$^) $(LIBSIGNET_SO) $(WOLFSSL_LIBS) -lcrypto -lm -lpthread
	@ln -sf $(@F) $(@:.0=)

LIBS += $(LIBSIGNET) $(LIBHANDSHAKE) $(LIBSIGNET_SO) $(LIBHANDSHAKE_SO)

# What daemon and operator's tool do alike.
COMMON_SOURCES := $(wildcard userspace/common/*.c)

# The daemon: engine, policy and confinement. Its tests link its parts without main().
SIGNETD_SOURCES := $(filter-out userspace/signetd/main.c,$(wildcard userspace/signetd/*.c)) \
	$(COMMON_SOURCES)
SIGNETD_OBJECTS := $(SIGNETD_SOURCES:%.c=$(BUILD)/obj/%.o)
SIGNETD_LIBS = $(HANDSHAKE_LIBS) -lconfig -lseccomp -lsystemd -luring

$(BUILD)/obj/userspace/signetd/%.o: CPPFLAGS += $(WOLFSSL_CPPFLAGS) -Iuserspace/handshake
# Tables leave out what is zero.
$(BUILD)/obj/userspace/signetd/%.o: CFLAGS += -Wno-missing-field-initializers

$(BUILD)/bin/signetd: $(BUILD)/obj/userspace/signetd/main.o $(SIGNETD_OBJECTS) $(LIBHANDSHAKE) \
		$(LIBSIGNET)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(SIGNETD_LIBS)

PROGRAMS += $(BUILD)/bin/signetd

# signet-run, and the library that it puts before a program's others.
RUN_COMMON := userspace/run/rule.c userspace/run/settings.c
SHIM_SOURCES := $(RUN_COMMON) $(addprefix userspace/run/,attach.c names.c shim.c) \
		$(addprefix userspace/libsignet/,info.c option.c text.c)

$(BUILD)/bin/signet-run: $(addprefix $(BUILD)/obj/,$(RUN_COMMON:.c=.o) \
		userspace/run/main.o userspace/run/program.o)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

$(BUILD)/lib/libsignet-run.so: $(SHIM_SOURCES:%.c=$(BUILD)/obj/%.pic.o) \
		userspace/run/libsignet-run.map
	@mkdir -p $(@D)
	$(CC) $(SHARED_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=$(lastword $^) -o $@ \
		$(filter %.o,$^)

# The operator's tool.
$(BUILD)/bin/signetctl: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard userspace/signetctl/*.c) \
		$(COMMON_SOURCES))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^

PROGRAMS += $(BUILD)/bin/signet-run $(BUILD)/bin/signetctl
LIBS += $(BUILD)/lib/libsignet-run.so
