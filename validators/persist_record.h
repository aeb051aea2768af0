/* One TXT record of dns-persist-01: the issue-value of RFC 8659 §4.2 with the parameters of
 * draft-ietf-acme-dns-persist-02 §4.1. Whoever may write to the zone writes them: hostile input. */
#pragma once

#include "validators/issue_value.h"

enum { VAL_PERSIST_MAX_BYTES = 2048, VAL_PERSIST_WHY_SIZE = VAL_ISSUE_WHY_SIZE };

/* What a record is held against. */
struct val_persist_wanted {
    const char *const *accounts; /* what accounturi may be, any of them */
    size_t account_count;
    const char *hash_prefix;    /* what hashed URIs begin with; NULL: accounturi may be any text (draft -01) */
    const char *const *issuers; /* our names, any of them */
    size_t issuer_count;
    bool wildcard;
    int64_t now_s;
};

enum val_persist_verdict {
    VAL_PERSIST_FITS,
    VAL_PERSIST_FOREIGN,   /* names none of our issuers: it is meant for another authority, if for any */
    VAL_PERSIST_MALFORMED, /* names us, but breaks the grammar */
    VAL_PERSIST_REFUSED,   /* names us, but does not allow this */
    VAL_PERSIST_VERDICTS
};

/* What persistUntil is when it is missing, or further away than a time in milliseconds can be. */
#define VAL_PERSIST_FOR_EVER (INT64_MAX / 1000)

/* Issuer names are compared without case and without a dot at the end. Tags have no case; each may stand once;
 * unknown ones are ignored. When it fits, `out_until_s` is persistUntil, else `why` a phrase: "policy is not wildcard".
 */
enum val_persist_verdict val_persist_judge(struct bytes text, const struct val_persist_wanted *wanted,
                                           int64_t *out_until_s, char why[static VAL_PERSIST_WHY_SIZE]);
