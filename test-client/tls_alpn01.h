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
/* What is wrong with an answer, for those who test validators; all zero: nothing. */
struct tls_alpn01_flaws {
    const char *names; /* the subjectAltName as OpenSSL's configuration writes it ("DNS:a,IP:::1"); "": there is none */
    bool no_identifier, not_critical, bare_digest; /* of acmeIdentifier; bare: without its inner OCTET STRING */
    bool no_protocol;                              /* the handshake goes on without ALPN */
};
MUST_USE bool tls_alpn01_put_flawed(struct tls_alpn01 *answers, const char *name, const char *key_authorization,
                                    const struct tls_alpn01_flaws *flaws);
void tls_alpn01_remove(struct tls_alpn01 *answers, const char *name);
void tls_alpn01_clear(struct tls_alpn01 *answers);
/* The server names and their key authorizations, sorted. False when memory is out. */
MUST_USE bool tls_alpn01_each(const struct tls_alpn01 *answers,
                              void (*show)(void *arg, const char *name, const char *content), void *arg);

/* Looks on when a client says hello; false refuses it. */
struct tls_alpn01_hello {
    SSL *ssl;
    struct bytes server_name; /* as sent; empty: none */
    struct bytes protocols;   /* the list as tls_hello_protocols gives it; empty: none */
};
typedef bool tls_alpn01_watch(void *watcher, const struct tls_alpn01_hello *hello);
void tls_alpn01_set_watch(struct tls_alpn01 *answers, tls_alpn01_watch *watch, void *watcher);

/* The server side of handshakes; a loan. No handshake may go on after tls_alpn01_drop. */
SSL_CTX *tls_alpn01_context(struct tls_alpn01 *answers);
