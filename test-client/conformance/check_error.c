#include "test-client/conformance/check.h"

static bool refused_payload(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), cf->check->text) && cf_refused(cf, 0, "malformed");
}

/* A URL like that of the resource, of something that is not there. */
static bool unknown(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    TRY(url != NULL);
    size_t len = strlen(url);
    const char *other = cf_print(cf, "%.*s%s", (int)len - 3, url, strcmp(url + len - 3, "000") == 0 ? "111" : "000");
    return cf_call(cf, cf->first, other, NULL) && cf_refused(cf, 0, NULL);
}

static bool unsigned_error(struct cf *cf)
{
    return cf_fetch(cf, "GET", cf_resource(cf, "newOrder"), NULL) && cf_refused(cf, 0, NULL);
}

/* Two names that no server issues for: each may have its own problem. */
static bool subproblems(struct cf *cf)
{
    const char *const names[] = { "a_b.example.test", "-c-.example.test", NULL };
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newOrder"), cf_order_payload(cf, names, NULL)));
    TRY(cf_refused(cf, 0, NULL));
    const json_t *list = json_object_get(cf->body, "subproblems");
    size_t i;
    json_t *item;
    if (list == NULL)
        return cf_skip(cf, "the problem has no subproblems");
    json_array_foreach (list, i, item) {
        const json_t *identifier = json_object_get(item, "identifier");
        if (json_member_text(identifier, "value") == NULL || json_member_text(item, "type") == NULL)
            return cf_fail(cf, "subproblem %zu tells no type or no identifier", i);
    }
    return true;
}

static const struct cf_check error_checks[] = {
    { "6.7.payload-not-json", "[8555-6.7-1] [8555-6.7-2]", "A payload that is no JSON is malformed.", refused_payload,
      CF_FIRST, .text = "hello" },
    { "6.7.payload-array", "[8555-6.7-1]", "A payload that is a JSON array is malformed.", refused_payload, CF_FIRST,
      .text = "[]" },
    { "6.7.payload-cut", "[8555-6.7-1]", "A payload that ends too early is malformed.", refused_payload, CF_FIRST,
      .text = "{\"identifiers\":[{\"type\":\"dns\"" },
    { "6.7.payload-behind", "[8555-6.7-1]", "A payload with something behind its object is malformed.", refused_payload,
      CF_FIRST, .text = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"x.example.test\"}]}}" },
    { "6.7.not-utf-8", "[8555-6.7-1]", "A payload that is not UTF-8 is malformed.", refused_payload, CF_FIRST,
      .text = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"\xff.example.test\"}]}" },
    { "6.7.unknown-order", "[8555-6.7-1]", "An unknown order should be answered with a problem document.", unknown,
      CF_PENDING, CF_ORDER_URL },
    { "6.7.unknown-authorization", "[8555-6.7-1]",
      "An unknown authorization should be answered with a problem document.", unknown, CF_PENDING,
      CF_AUTHORIZATION_URL },
    { "6.7.unknown-challenge", "[8555-6.7-1]", "An unknown challenge should be answered with a problem document.",
      unknown, CF_PENDING, CF_CHALLENGE_URL },
    { "6.7.unknown-certificate", "[8555-6.7-1]", "An unknown certificate should be answered with a problem document.",
      unknown, CF_ISSUED, CF_CERTIFICATE_URL },
    { "6.7.unsigned", "[8555-6.7-1] [8555-6.7.1-2]", "An error without a JWS should be a problem document too.",
      unsigned_error },
    { "6.7.1.subproblems", "[8555-6.7.1-1] [8555-6.7.1-2]", "Subproblems say which identifier they are about.",
      subproblems, CF_FIRST },
};

CF_GROUP(error, "RFC 8555", "6.7", "errors");
