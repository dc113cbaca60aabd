// SPDX-License-Identifier: GPL-3.0-or-later
#include "keys.h"

#include <string.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "handshake.h"
#include "suite.h"

/* RFC 9266 2, for TLS 1.2. */
#define CHANNEL_BINDING "EXPORTER-Channel-Binding"
#define CHANNEL_BINDING_LEN 32

static bool keep(unsigned char *to, size_t room, const unsigned char *secret, int length)
{
	if (length <= 0 || (size_t)length > room)
		return false;
	memcpy(to, secret, length);
	return true;
}

/*
 * A server learns its application secrets when it has sent its Finished, which is before the client
 * is authenticated. So they are only kept here, and become keys in signet_keys_fill().
 */
int signet_keys_keep(WOLFSSL *ssl, int id, const unsigned char *secret, int length, void *context)
{
	struct signet_handshake *handshake = context;
	struct signet_secrets *secrets = handshake->secrets;
	struct signet_crypto *crypto;
	enum signet_role sender;

	(void)ssl;
	if (id == EXPORTER_SECRET) {
		secrets->exporter_len = length;
		return keep(secrets->exporter, sizeof(secrets->exporter), secret, length) ? 0 : -1;
	}
	if (id == CLIENT_TRAFFIC_SECRET)
		sender = SIGNET_ROLE_CLIENT;
	else if (id == SERVER_TRAFFIC_SECRET)
		sender = SIGNET_ROLE_SERVER;
	else
		return 0;
	crypto = sender == handshake->config->role ? &secrets->keys.tx : &secrets->keys.rx;
	crypto->secret_len = length;
	return keep(crypto->secret, sizeof(crypto->secret), secret, length) ? 0 : -1;
}

/* RFC 5246 6.3: the write key, and the implicit part of the nonce. */
static bool take_key(struct signet_crypto *crypto, const struct signet_suite *suite,
		     const unsigned char *key, const unsigned char *iv)
{
	if (!key || !iv)
		return false;
	memcpy(crypto->secret, key, suite->key_len);
	memcpy(crypto->secret + suite->key_len, iv, suite->iv_len);
	crypto->secret_len = suite->key_len + suite->iv_len;
	return true;
}

static bool take_keys(struct signet_handshake *handshake, const struct signet_suite *suite)
{
	bool is_client = handshake->config->role == SIGNET_ROLE_CLIENT;
	struct signet_keys *keys = &handshake->secrets->keys;
	WOLFSSL *ssl = handshake->ssl;

	if (wolfSSL_GetKeySize(ssl) != (int)suite->key_len ||
	    wolfSSL_GetIVSize(ssl) != (int)suite->iv_len)
		return false;
	/* RFC 5288 3: never used before under this key; Finished was the only record so far. */
	if (suite->iv_len == 4)
		keys->tx.explicit_nonce = handshake->transport.nonce + 1;
	return take_key(is_client ? &keys->tx : &keys->rx, suite, wolfSSL_GetClientWriteKey(ssl),
			wolfSSL_GetClientWriteIV(ssl)) &&
	       take_key(is_client ? &keys->rx : &keys->tx, suite, wolfSSL_GetServerWriteKey(ssl),
			wolfSSL_GetServerWriteIV(ssl));
}

static bool bind_channel(struct signet_handshake *handshake)
{
	struct signet_secrets *secrets = handshake->secrets;

	secrets->exporter_len = CHANNEL_BINDING_LEN;
	return wolfSSL_export_keying_material(handshake->ssl, secrets->exporter,
					      CHANNEL_BINDING_LEN, CHANNEL_BINDING,
					      strlen(CHANNEL_BINDING), (unsigned char *)"", 0,
					      1) == WOLFSSL_SUCCESS;
}

static bool fill_1_2(struct signet_handshake *handshake, const struct signet_suite *suite)
{
	const struct signet_keys *keys = &handshake->secrets->keys;

	/* RFC 7627 5.2 and 5.3: else the keys are bound to no handshake in particular. */
	return signet_transport_has_extended_master_secret(&handshake->transport) &&
	       handshake->transport.ciphering && keys->tx.sequence == 1 && keys->rx.sequence == 1 &&
	       take_keys(handshake, suite) && bind_channel(handshake);
}

static bool fill_1_3(struct signet_handshake *handshake, const struct signet_suite *suite)
{
	struct signet_secrets *secrets = handshake->secrets;

	return secrets->keys.tx.secret_len == suite->hash_len &&
	       secrets->keys.rx.secret_len == suite->hash_len &&
	       secrets->exporter_len == suite->hash_len;
}

bool signet_keys_fill(struct signet_handshake *handshake)
{
	struct signet_keys *keys = &handshake->secrets->keys;
	WOLFSSL *ssl = handshake->ssl;
	unsigned int version = wolfSSL_version(ssl);
	const struct signet_suite *suite;
	word64 sent = 0, received = 0;

	suite = signet_suite_find(wolfSSL_get_current_cipher_suite(ssl));
	if (!suite || suite->version != version || version < handshake->min_version)
		return false;
	/* Their result tells only whether the number is zero. */
	(void)wolfSSL_GetSequenceNumber(ssl, &sent);
	(void)wolfSSL_GetPeerSequenceNumber(ssl, &received);
	keys->size = sizeof(*keys);
	keys->role = handshake->config->role;
	keys->tx.version = version;
	keys->rx.version = version;
	keys->tx.suite = suite->number;
	keys->rx.suite = suite->number;
	keys->tx.sequence = sent;
	keys->rx.sequence = received;
	return version == SIGNET_TLS_1_3 ? fill_1_3(handshake, suite) : fill_1_2(handshake, suite);
}
