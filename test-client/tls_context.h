/* How our TLS servers speak: TLS 1.2 and up, no session outlives its connection. */
#pragma once

#include "base/crypto.h"

#include <openssl/ssl.h>

enum { TLS_CONTEXT_WHY_SIZE = 256 };

/* Without a certificate; NULL when memory is out. */
MUST_USE SSL_CTX *tls_context_create(void);
/* For HTTP/1.1, with a key of its own and a certificate that nobody but itself vouches for. NULL when memory is out. */
MUST_USE SSL_CTX *tls_context_self_signed(const char *common_name);
/* For HTTP/1.1, with a PEM chain and its key. */
MUST_USE bool tls_context_load(const char *certificate_file, const char *key_file, SSL_CTX **out,
                               char why[static TLS_CONTEXT_WHY_SIZE]);

/* A certificate as far as its extensions and serial number: version, names, dates that hold for a lifetime, key. */
MUST_USE bool tls_certificate_begin(X509 *certificate, EVP_PKEY *key, const char *common_name);
