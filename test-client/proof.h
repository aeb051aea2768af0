/* What a client shows to prove that it controls a name: the facts of one challenge, and for those that are proved in
 * DNS the TXT record they make. */
#pragma once

#include "acme/challenge.h"

struct tc_proof {
    enum acme_challenge_type type;
    const char *name;  /* the identifier's value; "*." in front does not count */
    const char *token; /* NULL for dns-persist-01, as is the next */
    const char *key_authorization;
    const char *account_url; /* for dns-account-01 and dns-persist-01 */
    const char *issuer;      /* for dns-persist-01: one of the names the CA goes by */
    bool wildcard;           /* for dns-persist-01: the record is good for names below as well */
};

/* Owner and value of the TXT record, in the arena. False when a fact is missing, the type is not proved in DNS, or
 * memory is out. */
MUST_USE bool tc_proof_txt(struct arena *arena, const struct tc_proof *proof, const char **out_owner,
                           const char **out_value);
