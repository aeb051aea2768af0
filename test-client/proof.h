/* What a client shows to prove that it controls a name: the facts of one challenge, and for those that are proved in
 * DNS the TXT record they make. */
#pragma once

#include "test-client/message.h"

struct tc_proof {
    enum acme_challenge_type type;
    const char *name;  /* the identifier's value; "*." in front does not count */
    const char *token; /* NULL for dns-persist-01, as is the next */
    const char *key_authorization;
    const char *account_url; /* for dns-account-01 */
    const char *account;     /* for dns-persist-01: what its record calls the account */
    const char *issuer;      /* likewise: one of the names the CA goes by */
    bool wildcard;           /* likewise: the record is good for names below as well */
    const char *more;        /* likewise: further parameters, "; persistUntil=1"; or NULL */
};

/* Who proves. */
struct tc_prover {
    const struct tc_directory *directory;
    const char *account_url, *thumbprint;
};

/* Answers the challenge that was read with the authorization; texts are loans or in the arena. False when the directory
 * has no accountHashPrefix although the challenge wants a hash, or memory is out. */
MUST_USE bool tc_proof_make(struct arena *arena, const struct tc_prover *prover, enum acme_challenge_type type,
                            const struct tc_authorization *authorization, struct tc_proof *out);
/* Owner and value of the TXT record, in the arena. False when a fact is missing, the type is not proved in DNS, or
 * memory is out. */
MUST_USE bool tc_proof_txt(struct arena *arena, const struct tc_proof *proof, const char **out_owner,
                           const char **out_value);
