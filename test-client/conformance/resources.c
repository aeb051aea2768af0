/* URLs of every kind of resource. */
#include "test-client/conformance/inside.h"

static const char *const names[] = {
#define X(name, text, needs) [CF_##name##_URL] = text,
    CF_RESOURCE_TABLE(X)
#undef X
};

static const char *orders_url(struct cf *cf)
{
    const char *url = NULL;
    if (!cf_call(cf, cf->first, tc_session_kid(cf->first), NULL) || !cf_expect(cf, 200))
        return NULL;
    if (cf_member(cf, "orders") == NULL)
        cf_skip(cf, "the account has no \"orders\"");
    else if (cf_has_text(cf, "orders", &url))
        return url;
    return NULL;
}

static const char *challenge_url(struct cf *cf)
{
    if (!cf_call(cf, cf->first, cf->pending.authorizations[0], NULL) || !cf_expect(cf, 200))
        return NULL;
    const char *url = json_member_text(json_array_get(json_object_get(cf->body, "challenges"), 0), "url");
    if (url == NULL)
        cf_fail(cf, "the authorization has no challenge with a \"url\"");
    return url != NULL ? cf_print(cf, "%s", url) : NULL;
}

const char *cf_url_of(struct cf *cf, int resource_kind)
{
    switch (resource_kind) {
    case CF_ACCOUNT_URL:
        return tc_session_kid(cf->first);
    case CF_ORDERS_URL:
        return orders_url(cf);
    case CF_ORDER_URL:
        return cf->pending.url;
    case CF_FINALIZE_URL:
        return cf->pending.finalize;
    case CF_AUTHORIZATION_URL:
        return cf->pending.authorizations[0];
    case CF_CHALLENGE_URL:
        return challenge_url(cf);
    case CF_CERTIFICATE_URL:
        return cf->issued.order.certificate;
    default:
        if (cf_resource(cf, names[resource_kind]) == NULL)
            cf_skip(cf, "the directory has no \"%s\"", names[resource_kind]);
        return cf_resource(cf, names[resource_kind]);
    }
}
