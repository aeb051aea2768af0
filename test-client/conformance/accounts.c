/* Accounts, and what is made once for many checks. */
#include "test-client/conformance/inside.h"

#include "test-client/conformance/eab.h"

#include <stdio.h>

static void drop_session(void *session)
{
    tc_session_drop(session);
}

bool cf_open(struct cf *cf, EVP_PKEY *key, struct tc_session **out)
{
    char why[TC_WHY_SIZE];
    struct tc_session_options options = {
        .exchange = { .ca_file = cf->settings->ca_file, .protocols = "https,http", .timeout_s = 30 },
        .directory_url = cf->settings->directory_url,
        .account_key = key,
    };
    struct tc_session *session;
    if (!tc_session_open(&options, &session, why))
        return cf_fail(cf, "no connection: %s", why);
    cf_keep(cf, session, drop_session);
    *out = session;
    return true;
}

bool cf_register(struct cf *cf, struct tc_session *session, const char *members)
{
    const char *binding = "";
    if (json_is_true(json_object_get(cf->meta, "externalAccountRequired"))) {
        const char *made = cf_eab(cf, session, &(struct cf_eab) { 0 });
        TRY(made != NULL);
        binding = cf_print(cf, ",\"externalAccountBinding\":%s", made);
    }
    const char *payload =
        cf_print(cf, "{\"termsOfServiceAgreed\":true%s%s%s}", *members != '\0' ? "," : "", members, binding);
    struct tc_post post = { .url = cf_resource(cf, "newAccount"), .payload = payload, .embed_key = true };
    TRY(cf_post(cf, session, &post));
    const char *location = cf_header(cf, "Location");
    bool made = cf->answer->status == 201 || cf->answer->status == 200;
    CHECK(!made || location == NULL || tc_session_set_kid(session, location));
    return true;
}

bool cf_account(struct cf *cf, struct tc_session **out)
{
    TRY(cf_open(cf, NULL, out) && cf_register(cf, *out, "") && cf_expect(cf, 201));
    return tc_session_kid(*out) != NULL || cf_fail(cf, "the new account has no Location");
}

/* What has to be in the directory. */
static const struct {
    enum cf_need need;
    const char *member;
    bool meta;
} offers[] = {
    { CF_REVOKE, "revokeCert", false },
    { CF_KEY_CHANGE, "keyChange", false },
    { CF_NEW_AUTHZ, "newAuthz", false },
    { CF_RENEWAL_INFO, "renewalInfo", false },
    { CF_PROFILES, "profiles", true },
    { CF_EAB_REQUIRED, "externalAccountRequired", true },
    { CF_SUBDOMAINS, "subdomainAuthAllowed", true },
};

static bool is_offered(struct cf *cf, unsigned needs)
{
    for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
        const json_t *value = json_object_get(offers[i].meta ? cf->meta : cf->directory, offers[i].member);
        if ((needs & offers[i].need) != 0 && (value == NULL || json_is_false(value)))
            return cf_skip(cf, "the directory has no %s\"%s\"", offers[i].meta ? "meta." : "", offers[i].member);
    }
    if ((needs & CF_EAB) != 0 && cf->settings->eab.count == 0)
        return cf_skip(cf, "no key for external account binding was given (--eab)");
    return true;
}

static bool make_first(struct cf *cf)
{
    return cf_account(cf, &cf->first);
}

static bool make_second(struct cf *cf)
{
    return cf_account(cf, &cf->second);
}

static bool make_pending(struct cf *cf)
{
    return cf_order(cf, cf->first, &cf->pending);
}

static bool make_issued(struct cf *cf)
{
    return cf_issue_one(cf, cf->first, &cf->issued);
}

/* In the order in which they need each other. */
static const struct {
    enum cf_need need;
    bool (*make)(struct cf *cf);
} shared[] = {
    { CF_FIRST, make_first },
    { CF_SECOND, make_second },
    { CF_PENDING, make_pending },
    { CF_ISSUED, make_issued },
};

static bool make_shared(struct cf *cf, enum cf_need need, bool (*make)(struct cf *cf))
{
    struct cf_inside *inside = cf->inside;
    if ((inside->broken & need) != 0)
        return cf_fail(cf, "cannot be tried: %s", inside->broken_why);
    if ((inside->made & need) != 0)
        return true;
    inside->keep = &inside->of_run;
    bool made = make(cf);
    inside->keep = &inside->of_check;
    if (made) {
        inside->made |= need;
        return true;
    }
    inside->broken |= need;
    snprintf(inside->broken_why, sizeof inside->broken_why, "%.*s", CF_WHY_SIZE - 64, inside->why);
    return false;
}

bool cf_prepare(struct cf *cf, unsigned needs)
{
    if ((needs & (CF_PENDING | CF_ISSUED)) != 0)
        needs |= CF_FIRST;
    TRY(is_offered(cf, needs));
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
        TRY((needs & shared[i].need) == 0 || make_shared(cf, shared[i].need, shared[i].make));
    cf->inside->method = NULL; /* what the preparation said is no part of the check */
    return true;
}
