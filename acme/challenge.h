/* Challenge types and what proves them (RFC 8555 §8, RFC 8737, RFC 8738, draft-ietf-acme-dns-account-label-03,
 * draft-ietf-acme-dns-persist-02). */
#pragma once

#include "acme/jwk.h"

/* name, text, offered for dns, offered for wildcard, offered for ip, has a token; in the order in which they are
 * offered */
#define ACME_CHALLENGE_TABLE(X)                                                                                        \
    X(HTTP_01, "http-01", true, false, true, true)                                                                     \
    X(DNS_01, "dns-01", true, true, false, true)                                                                       \
    X(TLS_ALPN_01, "tls-alpn-01", true, false, true, true)                                                             \
    X(DNS_ACCOUNT_01, "dns-account-01", true, true, false, true)                                                       \
    X(DNS_PERSIST_01, "dns-persist-01", true, true, false, false)

enum acme_challenge_type {
#define X(name, text, dns, wildcard, ip, token) CHALLENGE_##name,
    ACME_CHALLENGE_TABLE(X)
#undef X
        CHALLENGE_TYPES
};

enum { CHALLENGE_TOKEN_SIZE = 44 }; /* 32 random bytes as base64url and NUL: 256 bits (RFC 8555 §8.1 wants 128) */

const char *challenge_type_text(enum acme_challenge_type type);
MUST_USE bool challenge_type_from_text(const char *text, enum acme_challenge_type *out);
bool challenge_offered(enum acme_challenge_type type, const struct acme_identifier *identifier);
bool challenge_has_token(enum acme_challenge_type type); /* else there is no key authorization either */

/* token "." thumbprint (RFC 8555 §8.1); NULL when memory is out. */
MUST_USE const char *key_authorization(struct arena *arena, const char *token, const char *thumbprint);
/* base64url(SHA-256(key authorization)): the TXT value of dns-01 (§8.4). */
MUST_USE const char *key_authorization_dns(struct arena *arena, const char *key_authorization_text);

/* What the record of dns-persist-01 calls an account (draft -02 §4.1): the directory's accountHashPrefix, this, and a
 * hash over name, key and account URL. The name "*" stands for all of them. */
#define CHALLENGE_ACCOUNT_HASH "sha-256/"
/* NULL when memory is out, or a text is too long to be what it should be. */
MUST_USE const char *challenge_account_uri(struct arena *arena, const char *prefix, const char *name,
                                           const char *thumbprint, const char *account_url);

/* "_" and 16 characters: the account's own label in front of _acme-challenge (dns-account-01). */
enum { CHALLENGE_ACCOUNT_LABEL_BYTES = 17 };
void challenge_account_label(struct buf *out, const char *account_url);
/* Where the TXT record of a challenge in DNS stands; for "*.NAME" at NAME. CHECKs that the type has one;
 * `account_url` counts for dns-account-01 only. */
enum { CHALLENGE_TXT_NAME_MAX = CHALLENGE_ACCOUNT_LABEL_BYTES + sizeof "._acme-challenge." - 1 + IDENTIFIER_MAX_BYTES };
void challenge_txt_name(struct buf *out, enum acme_challenge_type type, const struct acme_identifier *identifier,
                        const char *account_url);
