/* What tls-alpn-01 asks for (RFC 8737): one self-signed certificate a name, shown to whoever offers the protocol
 * acme-tls/1 alone and asks for a name that is known. */
#pragma once

#include "base/crypto.h"

#include <openssl/ssl.h>

struct tls_alpn01;

/* Makes the one key that all certificates share. NULL when memory is out. */
MUST_USE struct tls_alpn01 *tls_alpn01_create(void);
void tls_alpn01_drop(struct tls_alpn01 *answers);
DEFINE_DROP(tls_alpn01, tls_alpn01_drop)

/* `name` is a DNS name or an IP address; an address is asked for by its reverse name (RFC 8738 §6). False when it is
 * neither, or memory is out. A second answer for the same name replaces the first. */
MUST_USE bool tls_alpn01_put(struct tls_alpn01 *answers, const char *name, const char *key_authorization);
void tls_alpn01_remove(struct tls_alpn01 *answers, const char *name);

/* The server side of handshakes; a loan. No handshake may go on after tls_alpn01_drop. */
SSL_CTX *tls_alpn01_context(struct tls_alpn01 *answers);
