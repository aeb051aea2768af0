#include "server/protocol/directory.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/protocol/persist.h"
#include "server/protocol/profile.h"

static const struct {
    const char *name, *path;
} entries[] = {
    { "newNonce", "/new-nonce" },       { "newAccount", "/new-account" }, { "newOrder", "/new-order" },
    { "newAuthz", "/new-authz" },       { "revokeCert", "/revoke-cert" }, { "keyChange", "/key-change" },
    { "renewalInfo", "/renewal-info" },
};

static bool write_meta(struct json_out *out, struct request *rq)
{
    const struct settings *settings = rq->caraway->settings;
    json_out_object(out, "meta");
    if (settings->terms_of_service[0] != '\0')
        json_out_text(out, "termsOfService", settings->terms_of_service);
    if (settings->website[0] != '\0')
        json_out_text(out, "website", settings->website);
    json_out_texts(out, "caaIdentities", settings->caa_identities.items, settings->caa_identities.count);
    TRY(persist_write_meta(out, rq));
    json_out_bool(out, "externalAccountRequired", settings->external_account_required);
    json_out_bool(out, "subdomainAuthAllowed", settings->authorization_subdomains);
    json_out_object(out, "profiles");
    for (size_t i = 0; i < profile_count; i++)
        json_out_text(out, profiles[i].name, profiles[i].description);
    json_out_end_object(out);
    json_out_end_object(out);
    return true;
}

/* A name that no client can know: one that chokes on it does so here and not in production. */
static bool write_unknown_entry(struct json_out *out, struct request *rq)
{
    uint8_t random[8];
    world_random(rq->caraway->world, random, sizeof random);
    const char *name = arena_b64url(rq->arena, bytes_of(random, sizeof random));
    const char *url = request_url(rq, "/unknown-entry");
    TRY(name != NULL && url != NULL);
    json_out_text(out, name, url);
    return true;
}

bool directory_get(struct request *rq)
{
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        const char *url = request_url(rq, "%s", entries[i].path);
        if (url == NULL)
            return problem_out_of_memory(&rq->problem);
        json_out_text(&out, entries[i].name, url);
    }
    if (!write_meta(&out, rq) || (rq->caraway->settings->directory_unknown_entry && !write_unknown_entry(&out, rq)))
        return problem_out_of_memory(&rq->problem);
    json_out_end_object(&out);
    return true;
}

bool nonce_issue(struct request *rq)
{
    if (rq->method != METHOD_POST) /* which carries one anyway */
        reply_nonce(rq);
    reply_empty(rq, rq->method == METHOD_HEAD ? 200 : 204);
    return true;
}
