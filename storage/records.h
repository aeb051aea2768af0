/* The records of the store as plain structs. Each is one X-macro table; from it come the struct, the binary codec
 * (LMDB) and the JSON codec (export, management, PostgreSQL). Texts and lists live in the arena they were read into or
 * built in. A record holds no handle and may be copied.
 *
 * Row: X(tag, KIND, name, of). Tags are on disk: append-only, never reused. NULL text and count 0 mean "absent".
 * Kinds: TEXT const char *, JSON the same holding one JSON value, BLOB struct bytes, INT int64_t, TIME int64_t (ms
 * since 1970, 0 = absent, at most year 9999), FLAG bool, STATE enum <of>_state, TEXTS / JSONS / IDENTIFIERS / RECORDS
 * lists, IDENTIFIER one. Within a table tags ascend. */
#pragma once

#include "acme/challenge.h"
#include "acme/identifier.h"
#include "acme/state.h"

struct texts {
    const char **items;
    size_t count;
};
struct identifiers {
    struct acme_identifier *items;
    size_t count;
};

#define ACCOUNT_FIELDS(X)                                                                                              \
    X(1, TEXT, id, )                                                                                                   \
    X(2, STATE, state, account)                                                                                        \
    X(3, TEXTS, contacts, )                                                                                            \
    X(4, TEXT, key, )        /* canonical JWK (RFC 7638) */                                                            \
    X(5, TEXT, thumbprint, ) /* unique among accounts */                                                               \
    X(6, TIME, created_ms, )                                                                                           \
    X(7, TIME, terms_agreed_ms, )                                                                                      \
    X(8, TEXT, created_from, )      /* peer address */                                                                 \
    X(9, TEXT, terms, )             /* URL of the terms that were agreed to */                                         \
    X(10, JSON, external_binding, ) /* the externalAccountBinding that was accepted */                                 \
    X(11, TEXT, external_key, )     /* its key's id */                                                                 \
    X(12, TEXT, owner, )            /* whom it belongs to, as the operator calls him */                                \
    X(13, TEXTS, former_keys, )     /* thumbprints of keys it had before, youngest first; for dns-persist-01 */

#define CHALLENGE_FIELDS(X)                                                                                            \
    X(1, TEXT, type, ) /* RFC text; the challenge's id within its authorization */                                     \
    X(2, STATE, state, challenge)                                                                                      \
    X(3, TEXT, token, )                                                                                                \
    X(4, TIME, validated_ms, )                                                                                         \
    X(5, JSON, error, )       /* problem document */                                                                   \
    X(6, JSON, trace, )       /* what the validator saw */                                                             \
    X(7, TEXT, account_url, ) /* as the client named it when it started the challenge */                               \
    X(8, JSONS, failures, )   /* problem documents of the tries that failed */

#define AUTHORIZATION_FIELDS(X)                                                                                        \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, account, )                                                                                              \
    X(3, STATE, state, authorization)                                                                                  \
    X(4, IDENTIFIER, identifier, ) /* without "*." */                                                                  \
    X(5, FLAG, wildcard, )                                                                                             \
    X(6, TIME, created_ms, )                                                                                           \
    X(7, TIME, expires_ms, )                                                                                           \
    X(8, RECORDS, challenges, challenge)                                                                               \
    X(9, TEXTS, orders, )     /* ids of the orders that wait for it */                                                 \
    X(10, FLAG, subdomains, ) /* covers every name below it too (RFC 9444) */                                          \
    X(11, TEXT, allowed_by, ) /* what made it valid without a challenge */

#define ORDER_FIELDS(X)                                                                                                \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, account, )                                                                                              \
    X(3, STATE, state, order)                                                                                          \
    X(4, IDENTIFIERS, identifiers, )                                                                                   \
    X(5, TEXTS, authorizations, )                                                                                      \
    X(6, TEXT, profile, )                                                                                              \
    X(7, TIME, created_ms, )                                                                                           \
    X(8, TIME, expires_ms, )                                                                                           \
    X(9, TIME, not_before_ms, )                                                                                        \
    X(10, TIME, not_after_ms, )                                                                                        \
    X(11, TEXT, certificate, ) /* serial */                                                                            \
    X(12, JSON, error, )       /* problem document */                                                                  \
    X(13, TEXT, replaces, )    /* serial of the certificate that this one follows (RFC 9773) */                        \
    X(14, TEXT, replaces_id, ) /* the same as the client wrote it */                                                   \
    X(15, BLOB, csr, )         /* while the order is in processing */                                                  \
    X(16, INT, lifetime_ms, )  /* most that the account's rules give the certificate; 0: the profile's */

#define CERTIFICATE_FIELDS(X)                                                                                          \
    X(1, TEXT, serial, ) /* 32 hex digits; the record's id */                                                          \
    X(2, STATE, state, certificate)                                                                                    \
    X(3, TEXT, account, )                                                                                              \
    X(4, TEXT, order, )                                                                                                \
    X(5, IDENTIFIERS, identifiers, )                                                                                   \
    X(6, TEXT, profile, )                                                                                              \
    X(7, TEXT, issuer, ) /* id of the issuer whose chain goes with it */                                               \
    X(8, TIME, not_before_ms, )                                                                                        \
    X(9, TIME, not_after_ms, )                                                                                         \
    X(10, BLOB, der, )                                                                                                 \
    X(11, BLOB, key_hash, ) /* SHA-256 of the SubjectPublicKeyInfo */                                                  \
    X(12, TIME, revoked_ms, )                                                                                          \
    X(13, INT, revoked_reason, )                                                                                       \
    X(14, TEXT, replaced_by, )   /* order that was finalized in its place */                                           \
    X(15, TIME, renew_from_ms, ) /* the operator's renewal window, in place of the computed one */                     \
    X(16, TIME, renew_until_ms, )                                                                                      \
    X(17, TEXT, renew_explanation, ) /* URL of a page that says why */                                                 \
    X(18, TEXT, owner, )             /* whom the account belonged to */

#define EXTERNAL_KEY_FIELDS(X)                                                                                         \
    X(1, TEXT, id, ) /* the "kid" that the client sends */                                                             \
    X(2, BLOB, secret, )                                                                                               \
    X(3, TIME, created_ms, )                                                                                           \
    X(4, TEXTS, accounts, )       /* of schema version 1: who was bound with it; schema_modernize counts them */       \
    X(5, TEXTS, names, )          /* patterns of the names its accounts may have; none: all */                         \
    X(6, TEXTS, types, )          /* identifier types they may have; none: all */                                      \
    X(7, TEXTS, profiles, )       /* none: all */                                                                      \
    X(8, TEXTS, challenges, )     /* types that may prove a name to them; none: all */                                 \
    X(9, FLAG, wildcards, )       /* names may be wildcards; counts only beside names */                               \
    X(10, FLAG, pre_authorized, ) /* names need no proof */                                                            \
    X(11, INT, lifetime_ms, )     /* most that a certificate may live; 0: the profile's */                             \
    X(12, TEXT, limits, )         /* class of rate limits of its accounts; none: the server's */                       \
    X(13, TIME, expires_ms, )     /* binds no account from then on */                                                  \
    X(14, INT, uses, )            /* most accounts it binds; 0: any number */                                          \
    X(15, TEXT, owner, )          /* whom its accounts belong to */                                                    \
    X(16, TEXT, comment, )                                                                                             \
    X(17, TIME, revoked_ms, ) /* its accounts are refused, too */                                                      \
    X(18, INT, bound, )       /* accounts that were ever bound with it; the index knows those that are there */

#define RATE_BUCKET_FIELDS(X)                                                                                          \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, limit, )                                                                                                \
    X(3, TEXT, subject, )                                                                                              \
    X(4, INT, full_us, ) /* when it will be full again, microseconds since 1970 */

#define RATE_OVERRIDE_FIELDS(X)                                                                                        \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, limit, )                                                                                                \
    X(3, TEXT, subject, )                                                                                              \
    X(4, TEXT, rate, )                                                                                                 \
    X(5, TEXT, comment, )                                                                                              \
    X(6, TIME, created_ms, )

#define PAUSE_FIELDS(X)                                                                                                \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, account, )                                                                                              \
    X(3, TEXT, name, )                                                                                                 \
    X(4, TIME, paused_ms, )      /* 0: resumed */                                                                      \
    X(5, TIME, grace_until_ms, ) /* not paused again before */

/* What happened, for the operator's webhook; deleted once it has been taken there. */
#define WEBHOOK_EVENT_FIELDS(X)                                                                                        \
    X(1, TEXT, id, )                                                                                                   \
    X(2, TEXT, event, ) /* "certificate.issued" */                                                                     \
    X(3, TIME, created_ms, )                                                                                           \
    X(4, TEXT, account, )                                                                                              \
    X(5, TEXT, owner, )                                                                                                \
    X(6, TEXT, order, )                                                                                                \
    X(7, TEXT, serial, )                                                                                               \
    X(8, IDENTIFIERS, identifiers, )                                                                                   \
    X(9, TEXT, profile, )                                                                                              \
    X(10, TIME, not_before_ms, )                                                                                       \
    X(11, TIME, not_after_ms, )                                                                                        \
    X(12, INT, reason, )   /* of a revocation */                                                                       \
    X(13, TEXT, problem, ) /* of a refusal */                                                                          \
    X(14, TEXT, detail, )                                                                                              \
    X(15, INT, attempts, )                                                                                             \
    X(16, TIME, next_ms, ) /* of the next attempt; 0: given up */                                                      \
    X(17, TEXT, error, )   /* of the last attempt */

/* record, its fields, its class byte on disk (append-only), its id field */
#define RECORD_TABLE(X)                                                                                                \
    X(account, ACCOUNT_FIELDS, 1, id)                                                                                  \
    X(order, ORDER_FIELDS, 2, id)                                                                                      \
    X(authorization, AUTHORIZATION_FIELDS, 3, id)                                                                      \
    X(certificate, CERTIFICATE_FIELDS, 4, serial)                                                                      \
    X(external_key, EXTERNAL_KEY_FIELDS, 5, id)                                                                        \
    X(rate_bucket, RATE_BUCKET_FIELDS, 6, id)                                                                          \
    X(rate_override, RATE_OVERRIDE_FIELDS, 7, id)                                                                      \
    X(pause, PAUSE_FIELDS, 8, id)                                                                                      \
    X(webhook_event, WEBHOOK_EVENT_FIELDS, 9, id)

#define FIELD_TEXT(name, of)                   const char *name;
#define FIELD_BLOB(name, of)                   struct bytes name;
#define FIELD_INT(name, of)                    int64_t name;
#define FIELD_JSON(name, of)                   const char *name;
#define FIELD_TIME(name, of)                   int64_t name;
#define FIELD_FLAG(name, of)                   bool name;
#define FIELD_STATE(name, of)                  enum of##_state name;
#define FIELD_TEXTS(name, of)                  struct texts name;
#define FIELD_JSONS(name, of)                  struct texts name;
#define FIELD_IDENTIFIER(name, of)             struct acme_identifier name;
#define FIELD_IDENTIFIERS(name, of)            struct identifiers name;
#define FIELD_RECORDS(name, of)                struct of##_list name;
#define FIELD_STRUCT_ROW_(tag, kind, name, of) FIELD_##kind(name, of)

struct challenge {
    CHALLENGE_FIELDS(FIELD_STRUCT_ROW_)
};
struct challenge_list {
    struct challenge *items;
    size_t count;
};
#define RECORD_STRUCT_(record, fields, class, id)                                                                      \
    struct record {                                                                                                    \
        fields(FIELD_STRUCT_ROW_)                                                                                      \
    };
RECORD_TABLE(RECORD_STRUCT_)

enum record_class {
#define X(record, fields, class, id) RECORD_##record = class,
    RECORD_TABLE(X)
#undef X
};
