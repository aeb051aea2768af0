/* Challenge types and what proves them (RFC 8555 §8, RFC 8737, RFC 8738). */
#pragma once

#include "acme/jwk.h"

/* name, text, offered for dns, offered for wildcard, offered for ip; in the order in which they are offered */
#define ACME_CHALLENGE_TABLE(X)                                                                                        \
    X(HTTP_01, "http-01", true, false, true)                                                                           \
    X(DNS_01, "dns-01", true, true, false)                                                                             \
    X(TLS_ALPN_01, "tls-alpn-01", true, false, true)

enum acme_challenge_type {
#define X(name, text, dns, wildcard, ip) CHALLENGE_##name,
    ACME_CHALLENGE_TABLE(X)
#undef X
        CHALLENGE_TYPES
};

enum { CHALLENGE_TOKEN_SIZE = 44 }; /* 32 random bytes as base64url and NUL: 256 bits (RFC 8555 §8.1 wants 128) */

const char *challenge_type_text(enum acme_challenge_type type);
MUST_USE bool challenge_type_from_text(const char *text, enum acme_challenge_type *out);
bool challenge_offered(enum acme_challenge_type type, const struct acme_identifier *identifier);

/* token "." thumbprint (RFC 8555 §8.1); NULL when memory is out. */
MUST_USE const char *key_authorization(struct arena *arena, const char *token, const char *thumbprint);
/* base64url(SHA-256(key authorization)): the TXT value of dns-01 (§8.4). */
MUST_USE const char *key_authorization_dns(struct arena *arena, const char *key_authorization_text);
