#include "test-client/proof.h"

static const char *owner_of(struct arena *arena, const struct tc_proof *proof)
{
    struct acme_identifier identifier = { IDENTIFIER_DNS, proof->name };
    AUTO_BUF(owner, CHALLENGE_TXT_NAME_MAX);
    challenge_txt_name(&owner, proof->type, &identifier, proof->account_url);
    return owner.failed ? NULL : arena_text(arena, buf_str(&owner));
}

bool tc_proof_txt(struct arena *arena, const struct tc_proof *proof, const char **out_owner, const char **out_value)
{
    bool persistent = proof->type == CHALLENGE_DNS_PERSIST_01, of_account = proof->type == CHALLENGE_DNS_ACCOUNT_01;
    TRY(persistent || of_account || proof->type == CHALLENGE_DNS_01);
    TRY(proof->account_url != NULL || proof->type == CHALLENGE_DNS_01);
    TRY(persistent ? proof->issuer != NULL : proof->key_authorization != NULL);
    const char *owner = owner_of(arena, proof);
    const char *value = persistent ? arena_printf(arena, "%s; accounturi=%s%s", proof->issuer, proof->account_url,
                                                  proof->wildcard ? "; policy=wildcard" : "")
                                   : key_authorization_dns(arena, proof->key_authorization);
    TRY(owner != NULL && value != NULL);
    *out_owner = owner;
    *out_value = value;
    return true;
}
