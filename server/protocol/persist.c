#include "server/protocol/persist.h"

#include "base/text.h"
#include "server/caraway.h"

bool persist_is_offered(const struct settings *settings)
{
    const char *type = challenge_type_text(CHALLENGE_DNS_PERSIST_01);
    return text_is_among(settings->challenges.items, settings->challenges.count, type) &&
           settings->caa_identities.count > 0;
}

static bool is_hashed(const struct settings *settings)
{
    return strcmp(settings->dns_persist_draft, "01") != 0;
}

static void write_issuers(struct json_out *out, const char *key, const struct settings *settings)
{
    json_out_texts(out, key, settings->caa_identities.items, settings->caa_identities.count);
}

/* What hashed URIs begin with (draft -02 §4.1), made of the URL of any account. */
static const char *hash_prefix(struct arena *arena, const char *account_url)
{
    const char *slash = strrchr(account_url, '/');
    return arena_printf(arena, "%.*s-hash/", slash != NULL ? (int)(slash - account_url) : 0, account_url);
}

bool persist_write_meta(struct json_out *out, struct request *rq)
{
    const struct settings *settings = rq->caraway->settings;
    if (!persist_is_offered(settings) || !is_hashed(settings))
        return true;
    const char *url = request_url(rq, "/account/");
    const char *prefix = url != NULL ? hash_prefix(rq->arena, url) : NULL;
    TRY(prefix != NULL);
    json_out_text(out, "accountHashPrefix", prefix);
    write_issuers(out, "issuerDomainNames", settings);
    return true;
}

void persist_write_challenge(struct json_out *out, struct request *rq)
{
    const struct settings *settings = rq->caraway->settings;
    if (is_hashed(settings)) {
        write_issuers(out, "issuerDomainNames", settings);
        return;
    }
    json_out_text(out, "accounturi", rq->jws.kid);
    write_issuers(out, "issuer-domain-names", settings);
}

bool persist_keep_key(struct request *rq, struct account *account)
{
    const struct texts *former = &account->former_keys;
    if (!persist_is_offered(rq->caraway->settings))
        return true;
    if (former->count + 1 >= PERSIST_KEYS_MAX)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                            "An account can have %d keys in its life, and this one has had them; make a new account",
                            PERSIST_KEYS_MAX);
    struct texts kept = { arena_array(rq->arena, former->count + 1, sizeof *kept.items), 0 };
    if (kept.items == NULL)
        return problem_out_of_memory(&rq->problem);
    kept.items[kept.count++] = account->thumbprint;
    for (size_t i = 0; i < former->count; i++) {
        if (strcmp(former->items[i], account->thumbprint) != 0)
            kept.items[kept.count++] = former->items[i];
    }
    account->former_keys = kept;
    return true;
}

/* Draft -02 §4.1: bound to the name, or with "*" good for many names. */
static bool add_hashes(struct arena *arena, const char *key, const char **uris, struct validation *inout)
{
    const char *const names[] = { inout->identifier.value, "*" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *uri = challenge_account_uri(arena, inout->hash_prefix, names[i], key, inout->account_url);
        TRY(uri != NULL);
        uris[inout->account_count++] = uri;
    }
    return true;
}

/* §4.2: every key that the account has had counts, the present one first. */
static bool fill_hashes(struct arena *arena, const struct account *account, struct validation *inout)
{
    const char **uris = arena_array(arena, 2 * (account->former_keys.count + 1), sizeof *uris);
    inout->hash_prefix = hash_prefix(arena, inout->account_url);
    TRY(uris != NULL && inout->hash_prefix != NULL);
    inout->accounts = uris;
    TRY(add_hashes(arena, account->thumbprint, uris, inout));
    for (size_t i = 0; i < account->former_keys.count; i++)
        TRY(add_hashes(arena, account->former_keys.items[i], uris, inout));
    return true;
}

bool persist_fill(struct arena *arena, const struct settings *settings, const struct account *account,
                  struct validation *inout)
{
    if (inout->type != CHALLENGE_DNS_PERSIST_01)
        return true;
    if (is_hashed(settings))
        return fill_hashes(arena, account, inout);
    inout->accounts = &inout->account_url;
    inout->account_count = 1;
    return true;
}
