#include "test-client/conformance/check.h"

#include <strings.h>

static bool is_served(struct cf *cf)
{
    return cf_fetch(cf, "GET", cf->settings->directory_url, NULL) && cf_expect(cf, 200) &&
           cf_media_type(cf, "application/json");
}

static bool has_resource(struct cf *cf)
{
    const char *url = cf_resource(cf, cf->check->text);
    if (url == NULL)
        return cf_fail(cf, "the directory has no \"%s\"", cf->check->text);
    return cf_is_url(url) || cf_fail(cf, "\"%s\" is no URL", cf->check->text);
}

static bool meta_is_object(struct cf *cf)
{
    TRY(cf_fetch(cf, "GET", cf->settings->directory_url, NULL) && cf_expect(cf, 200));
    const json_t *meta = json_object_get(cf->body, "meta");
    if (meta == NULL)
        return cf_skip(cf, "the directory has no meta");
    return json_is_object(meta) || cf_fail(cf, "meta is no JSON object");
}

static bool meta_url(struct cf *cf)
{
    const json_t *value = json_object_get(cf->meta, cf->check->text);
    if (value == NULL)
        return cf_skip(cf, "the directory has no meta.%s", cf->check->text);
    const char *text = json_string_value(value);
    return (text != NULL && strchr(text, ':') != NULL) || cf_fail(cf, "meta.%s is no URL", cf->check->text);
}

static bool meta_flag(struct cf *cf)
{
    const json_t *value = json_object_get(cf->meta, cf->check->text);
    if (value == NULL)
        return cf_skip(cf, "the directory has no meta.%s", cf->check->text);
    return json_is_boolean(value) || cf_fail(cf, "meta.%s is neither true nor false", cf->check->text);
}

static bool is_domain_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    return text != NULL && *text != '\0' && text[strspn(text, letters)] == '\0';
}

static bool caa_identities(struct cf *cf)
{
    const json_t *list = json_object_get(cf->meta, "caaIdentities");
    size_t i;
    json_t *item;
    if (list == NULL)
        return cf_skip(cf, "the directory has no meta.caaIdentities");
    if (!json_is_array(list))
        return cf_fail(cf, "meta.caaIdentities is no array");
    json_array_foreach (list, i, item) {
        if (!is_domain_name(json_string_value(item)))
            return cf_fail(cf, "meta.caaIdentities[%zu] is no domain name", i);
    }
    return true;
}

static bool has_index(struct cf *cf)
{
    const char *url = cf_link(cf, "index");
    if (url == NULL)
        return cf_fail(cf, "the answer has no Link with rel=\"index\"");
    return strcmp(url, cf->settings->directory_url) == 0 ||
           cf_fail(cf, "rel=\"index\" leads to %.200s instead of the directory", url);
}

static bool index_of(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    return url != NULL && cf_call(cf, cf->first, url, NULL) && cf->answer->status < 300 && has_index(cf);
}

static bool index_of_nonce(struct cf *cf)
{
    return cf_fetch(cf, "HEAD", cf_resource(cf, "newNonce"), NULL) && has_index(cf);
}

static bool index_of_new_account(struct cf *cf)
{
    struct tc_session *session;
    return cf_open(cf, NULL, &session) && cf_register(cf, session, "") && cf_expect(cf, 201) && has_index(cf);
}

static bool index_of_new_order(struct cf *cf)
{
    struct cf_order order;
    return cf_order(cf, cf->first, &order) && has_index(cf);
}

static bool up_of_challenge(struct cf *cf)
{
    const char *url = cf_url_of(cf, CF_CHALLENGE_URL);
    TRY(url != NULL && cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
    const char *up = cf_link(cf, "up");
    if (up == NULL)
        return cf_fail(cf, "the challenge has no Link with rel=\"up\"");
    return strcmp(up, cf->pending.authorizations[0]) == 0 ||
           cf_fail(cf, "rel=\"up\" leads to %.200s instead of the authorization", up);
}

static bool nonce_answer(struct cf *cf, int status)
{
    const char *nonce;
    return cf_expect(cf, status) && cf_has_header(cf, "Replay-Nonce", &nonce) &&
           (cf_is_b64(nonce) || cf_fail(cf, "the nonce is not base64url"));
}

static bool head(struct cf *cf)
{
    return cf_fetch(cf, "HEAD", cf_resource(cf, "newNonce"), NULL) && nonce_answer(cf, 200);
}

static bool get(struct cf *cf)
{
    TRY(cf_fetch(cf, "GET", cf_resource(cf, "newNonce"), NULL) && nonce_answer(cf, 204));
    return cf->answer->body.len == 0 || cf_fail(cf, "the answer has a body");
}

static bool no_store(struct cf *cf)
{
    const char *value;
    TRY(cf_fetch(cf, cf->check->text, cf_resource(cf, "newNonce"), NULL) && cf_has_header(cf, "Cache-Control", &value));
    return strcasestr(value, "no-store") != NULL || cf_fail(cf, "Cache-Control is \"%.100s\", without no-store", value);
}

static bool works(struct cf *cf)
{
    TRY(cf_fetch(cf, cf->check->text, cf_resource(cf, "newNonce"), NULL));
    const char *nonce;
    TRY(cf_has_header(cf, "Replay-Nonce", &nonce));
    nonce = cf_print(cf, "%s", nonce);
    struct tc_post post = { .url = cf->pending.url, .nonce = nonce };
    return cf_post(cf, cf->first, &post) && cf_expect(cf, 200);
}

static const struct cf_check directory_checks[] = {
    { "7.1.1.served", "[8555-6.3-6] [8555-7.1-1] [8555-7.1.1-1]", "GET on the directory gives a JSON object.",
      is_served },
    { "7.1.1.new-nonce", "[8555-7.1-1] [8555-7.1.1-1]", "The directory has newNonce.", has_resource,
      .text = "newNonce" },
    { "7.1.1.new-account", "[8555-7.1.1-1]", "The directory has newAccount.", has_resource, .text = "newAccount" },
    { "7.1.1.new-order", "[8555-7.1.1-1]", "The directory has newOrder.", has_resource, .text = "newOrder" },
    { "7.1.1.revoke-cert", "[8555-7.1.1-1]", "The directory has revokeCert.", has_resource, .text = "revokeCert" },
    { "7.1.1.key-change", "[8555-7.1.1-1]", "The directory has keyChange.", has_resource, .text = "keyChange" },
    { "7.1.1.meta", "[8555-7.1.1-3]", "meta is a JSON object.", meta_is_object },
    { "7.1.1.terms-of-service", "[8555-7.3-12]", "meta.termsOfService is a URL.", meta_url, .text = "termsOfService" },
    { "7.1.1.website", "", "meta.website is a URL.", meta_url, .text = "website" },
    { "7.1.1.caa-identities", "[8555-7.1.1-4]", "meta.caaIdentities are domain names in ASCII.", caa_identities },
    { "7.1.1.external-account-required", "", "meta.externalAccountRequired is true or false.", meta_flag,
      .text = "externalAccountRequired" },
    { "7.1.index-of-new-nonce", "[8555-7.1-2]", "newNonce links to the directory.", index_of_nonce },
    { "7.1.index-of-new-account", "[8555-7.1-2]", "A new account's answer links to the directory.",
      index_of_new_account },
    { "7.1.index-of-new-order", "[8555-7.1-2]", "A new order's answer links to the directory.", index_of_new_order,
      CF_FIRST },
    { "7.1.index-of-account", "[8555-7.1-2]", "An account links to the directory.", index_of, CF_FIRST,
      CF_ACCOUNT_URL },
    { "7.1.index-of-order", "[8555-7.1-2]", "An order links to the directory.", index_of, CF_PENDING, CF_ORDER_URL },
    { "7.1.index-of-authorization", "[8555-7.1-2]", "An authorization links to the directory.", index_of, CF_PENDING,
      CF_AUTHORIZATION_URL },
    { "7.1.index-of-challenge", "[8555-7.1-2]", "A challenge links to the directory.", index_of, CF_PENDING,
      CF_CHALLENGE_URL },
    { "7.1.index-of-certificate", "[8555-7.1-2]", "A certificate links to the directory.", index_of, CF_ISSUED,
      CF_CERTIFICATE_URL },
    { "7.1.up-of-challenge", "[8555-7.1-3]", "A challenge links to its authorization.", up_of_challenge, CF_PENDING },
    { "7.2.head", "[8555-7.2-1] [8555-7.2-2]", "HEAD on newNonce is answered 200 with a nonce.", head },
    { "7.2.get", "[8555-6.3-6] [8555-7.2-3]", "GET on newNonce is answered 204 with a nonce and no body.", get },
    { "7.2.head-no-store", "[8555-7.2-4]", "HEAD on newNonce is answered Cache-Control: no-store.", no_store,
      .text = "HEAD" },
    { "7.2.get-no-store", "[8555-7.2-4]", "GET on newNonce is answered Cache-Control: no-store.", no_store,
      .text = "GET" },
    { "7.2.head-works", "[8555-7.2-1]", "The nonce from HEAD is accepted.", works, CF_PENDING, .text = "HEAD" },
    { "7.2.get-works", "[8555-7.2-3]", "The nonce from GET is accepted.", works, CF_PENDING, .text = "GET" },
};

CF_GROUP(directory, "RFC 8555", "7.1-7.2", "directory, links and newNonce");
