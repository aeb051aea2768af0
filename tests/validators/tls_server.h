/* A TLS server on loopback that shows a certificate made to order, on its own thread. */
#pragma once

#include "tests/validators/support.h"

#include "base/crypto.h"

#include <openssl/ssl.h>

enum { TLS_NAME_SIZE = 256, TLS_PATIENCE_S = 10 };
enum tls_flaw {
    TLS_RIGHT,
    TLS_NO_EXTENSION,
    TLS_NOT_CRITICAL,
    TLS_WRONG_DIGEST,
    TLS_SHORT_DIGEST,
    TLS_LONG_DIGEST,
    TLS_DOUBLE_EXTENSION,
    TLS_NOT_SELF_SIGNED,
    TLS_OTHER_ISSUER_NAME,
    TLS_BROKEN_SIGNATURE,
    TLS_TWO_NAME_EXTENSIONS,
    TLS_MORE_BEHIND_DIGEST,
    TLS_DIGEST_OF_OTHER_TYPE,
    TLS_EXPIRED
};

struct tls_script {
    const char *alpn;  /* what the server chooses; NULL: none; "!": it refuses with an alert */
    const char *names; /* the subjectAltName as OpenSSL's configuration writes it; NULL: no extension */
    enum tls_flaw flaw;
    int max_version; /* 0: any */
};

/* The certificate, for tests of the judge alone. The caller frees both. */
X509 *tls_certificate(const struct tls_script *script, EVP_PKEY **out_key);

/* What a server with that script speaks with; the caller frees it. `script` is kept. */
SSL_CTX *tls_server_context(const struct tls_script *script);

struct tls_heard { /* of the last handshake that came to its end */
    char sni[TLS_NAME_SIZE];
    char alpn[TLS_NAME_SIZE]; /* what was offered, with commas */
    bool data, closed;        /* whether the client then sent something, or hung up */
};

struct tls_server;
struct tls_server *tls_server_start(const struct tls_script *script);
uint16_t tls_server_port(const struct tls_server *server);
void tls_server_stop(struct tls_server *server, struct tls_heard *out);
