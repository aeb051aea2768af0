#include "test-client/proof.h"

static const char *owner_of(struct arena *arena, const struct tc_proof *proof)
{
    struct acme_identifier identifier = { IDENTIFIER_DNS, proof->name };
    AUTO_BUF(owner, CHALLENGE_TXT_NAME_MAX);
    challenge_txt_name(&owner, proof->type, &identifier, proof->account_url);
    return owner.failed ? NULL : arena_text(arena, buf_str(&owner));
}

/* A hash since draft -02, the account's URL before. */
static const char *persistent_account(struct arena *arena, const struct tc_prover *prover,
                                      const struct tc_authorization *authorization)
{
    const char *prefix = prover->directory->account_hash_prefix;
    if (!authorization->challenge.hashed)
        return prover->account_url;
    return prefix != NULL
               ? challenge_account_uri(arena, prefix, authorization->name, prover->thumbprint, prover->account_url)
               : NULL;
}

bool tc_proof_make(struct arena *arena, const struct tc_prover *prover, enum acme_challenge_type type,
                   const struct tc_authorization *authorization, struct tc_proof *out)
{
    const struct tc_challenge *challenge = &authorization->challenge;
    struct tc_proof proof = {
        .type = type,
        .name = authorization->name,
        .token = challenge->token,
        .account_url = prover->account_url,
        .issuer = challenge->issuer,
        .wildcard = authorization->wildcard,
    };
    if (challenge->token != NULL)
        proof.key_authorization = key_authorization(arena, challenge->token, prover->thumbprint);
    else
        proof.account = persistent_account(arena, prover, authorization);
    TRY(proof.key_authorization != NULL || proof.account != NULL);
    *out = proof;
    return true;
}

bool tc_proof_txt(struct arena *arena, const struct tc_proof *proof, const char **out_owner, const char **out_value)
{
    bool persistent = proof->type == CHALLENGE_DNS_PERSIST_01, of_account = proof->type == CHALLENGE_DNS_ACCOUNT_01;
    TRY(persistent || of_account || proof->type == CHALLENGE_DNS_01);
    TRY(proof->account_url != NULL || !of_account);
    TRY(persistent ? proof->issuer != NULL && proof->account != NULL : proof->key_authorization != NULL);
    const char *owner = owner_of(arena, proof);
    const char *value =
        persistent ? arena_printf(arena, "%s; accounturi=%s%s%s", proof->issuer, proof->account,
                                  proof->wildcard ? "; policy=wildcard" : "", proof->more != NULL ? proof->more : "")
                   : key_authorization_dns(arena, proof->key_authorization);
    TRY(owner != NULL && value != NULL);
    *out_owner = owner;
    *out_value = value;
    return true;
}
