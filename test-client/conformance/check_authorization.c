/* RFC 8555 §7.1.4, §7.4.1 and §7.5.2: authorizations. */
#include "test-client/conformance/check.h"

#include "base/clock_text.h"

static bool look(struct cf *cf, struct tc_session *session, const char *url)
{
    return cf_call(cf, session, url, NULL) && cf_expect(cf, 200);
}

static bool is_authorization(struct cf *cf)
{
    const char *status;
    const json_t *identifier = json_object_get(cf->body, "identifier");
    TRY(cf_has_text(cf, "status", &status));
    if (json_member_text(identifier, "type") == NULL || json_member_text(identifier, "value") == NULL)
        return cf_fail(cf, "the authorization has no well-formed identifier");
    return json_is_array(json_object_get(cf->body, "challenges")) ||
           cf_fail(cf, "the authorization has no array of challenges");
}

static bool well_formed(struct cf *cf)
{
    return look(cf, cf->first, cf->pending.authorizations[0]) && is_authorization(cf);
}

static bool is_challenge(struct cf *cf, const json_t *challenge, size_t i)
{
    const char *url = json_member_text(challenge, "url");
    if (json_member_text(challenge, "type") == NULL || json_member_text(challenge, "status") == NULL)
        return cf_fail(cf, "challenge %zu lacks its type or status", i);
    return cf_is_url(url) || cf_fail(cf, "challenge %zu has no URL", i);
}

static bool challenges_well_formed(struct cf *cf)
{
    size_t i;
    json_t *challenge;
    TRY(well_formed(cf));
    json_array_foreach (json_object_get(cf->body, "challenges"), i, challenge)
        TRY(is_challenge(cf, challenge, i));
    return i > 0 || cf_fail(cf, "a pending authorization offers no challenge");
}

static bool valid_has_expires(struct cf *cf)
{
    const char *text;
    int64_t at_ms;
    TRY(look(cf, cf->first, cf->issued.order.authorizations[0]) && cf_has_text(cf, "expires", &text));
    return time_parse(text, &at_ms) || cf_fail(cf, "\"expires\" is no RFC 3339 time");
}

static bool valid_shows_proof(struct cf *cf)
{
    size_t i, valid = 0;
    json_t *challenge;
    TRY(look(cf, cf->first, cf->issued.order.authorizations[0]));
    json_array_foreach (json_object_get(cf->body, "challenges"), i, challenge) {
        const char *status = json_member_text(challenge, "status");
        valid += status != NULL && strcmp(status, "valid") == 0;
    }
    return valid > 0 || cf_fail(cf, "a valid authorization has no valid challenge");
}

static bool cannot_be_set(struct cf *cf)
{
    TRY(cf_call(cf, cf->first, cf->pending.authorizations[0], cf->check->text));
    TRY(cf->answer->status == 200 || cf_refused(cf, 0, NULL));
    return look(cf, cf->first, cf->pending.authorizations[0]) &&
           (cf_status_is(cf, "pending") || cf_fail(cf, "the authorization is no longer pending"));
}

static bool deactivate(struct cf *cf, struct tc_session *session, const char *url)
{
    TRY(cf_call(cf, session, url, "{\"status\":\"deactivated\"}") && cf_expect(cf, 200) && is_authorization(cf));
    TRY(cf_status_is(cf, "deactivated") || cf_fail(cf, "the answer's \"status\" is not \"deactivated\""));
    TRY(look(cf, session, url));
    return cf_status_is(cf, "deactivated") || cf_fail(cf, "the authorization is not deactivated later on");
}

static bool pending_deactivated(struct cf *cf)
{
    struct cf_order order;
    return cf_order(cf, cf->first, &order) && deactivate(cf, cf->first, order.authorizations[0]);
}

static bool valid_deactivated(struct cf *cf)
{
    struct cf_order order;
    return cf_ready(cf, cf->first, &order) && deactivate(cf, cf->first, order.authorizations[0]);
}

static bool makes_order_invalid(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_order(cf, cf->first, &order) && deactivate(cf, cf->first, order.authorizations[0]));
    return look(cf, cf->first, order.url) && (cf_status_is(cf, "invalid") || cf_fail(cf, "the order is not invalid"));
}

static bool not_for_the_next_order(struct cf *cf)
{
    struct cf_order order, next;
    TRY(cf_ready(cf, cf->first, &order) && deactivate(cf, cf->first, order.authorizations[0]));
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { order.name, NULL }, NULL, &next));
    if (!cf_status_is(cf, "pending"))
        return cf_fail(cf, "the next order for the name is not pending");
    return strcmp(next.authorizations[0], order.authorizations[0]) != 0 ||
           cf_fail(cf, "the next order has the deactivated authorization");
}

static bool not_answered_any_more(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(cf_order(cf, cf->first, &order));
    TRY(cf_challenge(cf, cf->first, order.authorizations[0], "http-01", &challenge));
    TRY(deactivate(cf, cf->first, order.authorizations[0]) && cf_call(cf, cf->first, challenge.url, "{}"));
    TRY(cf_refused(cf, 0, NULL) && look(cf, cf->first, order.authorizations[0]));
    return cf_status_is(cf, "deactivated") || cf_fail(cf, "the authorization is no longer deactivated");
}

static bool stays_deactivated(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_order(cf, cf->first, &order) && deactivate(cf, cf->first, order.authorizations[0]));
    TRY(cf_call(cf, cf->first, order.authorizations[0], cf->check->text));
    TRY(look(cf, cf->first, order.authorizations[0]));
    return cf_status_is(cf, "deactivated") || cf_fail(cf, "the authorization is no longer deactivated");
}

/* --- newAuthz --- */

static bool new_authz(struct cf *cf, struct tc_session *session, const char *value)
{
    const char *payload = cf_print(cf, "{\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"}}", value);
    return cf_call(cf, session, cf_resource(cf, "newAuthz"), payload);
}

static bool pre_authorize(struct cf *cf, const char *name, const char **out_url)
{
    const char *location;
    TRY(new_authz(cf, cf->first, name) && cf_expect(cf, 201) && cf_has_header(cf, "Location", &location));
    *out_url = cf_print(cf, "%s", location);
    return is_authorization(cf) && (cf_is_url(*out_url) || cf_fail(cf, "the Location is no URL"));
}

static bool pre_authorization(struct cf *cf)
{
    const char *url, *name = cf_name(cf);
    TRY(pre_authorize(cf, name, &url));
    const char *value = json_member_text(json_object_get(cf->body, "identifier"), "value");
    if (value == NULL || strcmp(value, name) != 0)
        return cf_fail(cf, "the authorization is for another name");
    if (!cf_status_is(cf, "pending"))
        return cf_fail(cf, "the authorization is not pending");
    return look(cf, cf->first, url) && is_authorization(cf);
}

static bool pre_authorization_used(struct cf *cf)
{
    struct cf_order order;
    const char *url, *name = cf_name(cf);
    TRY(pre_authorize(cf, name, &url) && cf_solve(cf, cf->first, url));
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { name, NULL }, NULL, &order));
    if (strcmp(order.authorizations[0], url) != 0)
        return cf_fail(cf, "the order lists another authorization than the pre-authorization");
    return look(cf, cf->first, order.url) && (cf_status_is(cf, "ready") || cf_fail(cf, "the order is not ready"));
}

static bool pre_authorization_is_ours(struct cf *cf)
{
    const char *url;
    return pre_authorize(cf, cf_name(cf), &url) && cf_call(cf, cf->second, url, NULL) && cf_refused(cf, 0, NULL);
}

static bool pre_authorization_of_another(struct cf *cf)
{
    struct cf_order order;
    const char *url, *name = cf_name(cf);
    TRY(pre_authorize(cf, name, &url) && cf_solve(cf, cf->first, url));
    TRY(cf_order_names(cf, cf->second, (const char *const[]) { name, NULL }, NULL, &order));
    return cf_status_is(cf, "pending") || cf_fail(cf, "one account's proof makes another account's order ready");
}

static bool pre_authorization_refused(struct cf *cf)
{
    return new_authz(cf, cf->first, cf->check->text) && cf_refused(cf, 0, NULL);
}

static bool pre_authorization_forbidden(struct cf *cf)
{
    const char *detail;
    return new_authz(cf, cf->first, cf->check->text) && cf_refused(cf, 403, NULL) && cf_has_text(cf, "detail", &detail);
}

static bool pre_authorization_malformed(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "newAuthz"), cf->check->text) && cf_refused(cf, 0, "malformed");
}

#define PRE (CF_FIRST | CF_NEW_AUTHZ)

static const struct cf_check authorization_checks[] = {
    { "7.1.4.well-formed", "[8555-7.1.4-1]", "An authorization has status, identifier and challenges.", well_formed,
      CF_PENDING },
    { "7.1.4.challenges", "[8555-7.1.4-3] [8555-8-1]", "Each of its challenges has type, url and status.",
      challenges_well_formed, CF_PENDING },
    { "7.1.4.valid-has-expires", "[8555-7.1.4-2] [8555-7.5.1-4]", "A valid authorization has expires.",
      valid_has_expires, CF_ISSUED },
    { "7.1.4.valid-shows-proof", "[8555-7.1.4-3] [8555-7.1.6-2]",
      "A valid authorization shows the challenge that was met.", valid_shows_proof, CF_ISSUED },
    { "7.5.set-valid", "[8555-7.1.6-2]", "A client cannot set its authorization to valid.", cannot_be_set, CF_PENDING,
      .text = "{\"status\":\"valid\"}" },
    { "7.5.set-revoked", "[8555-7.1.6-2]", "A client cannot set its authorization to revoked.", cannot_be_set,
      CF_PENDING, .text = "{\"status\":\"revoked\"}" },
    { "7.5.set-identifier", "[8555-7.1.6-2]", "A client cannot change what its authorization is for.", cannot_be_set,
      CF_PENDING, .text = "{\"identifier\":{\"type\":\"dns\",\"value\":\"other.example.test\"}}" },
    { "7.5.2.pending", "[8555-7.5.2-2]", "A pending authorization can be deactivated.", pending_deactivated, CF_FIRST },
    { "7.5.2.valid", "[8555-7.5.2-2] [8555-7.1.6-3]", "A valid authorization can be deactivated.", valid_deactivated,
      CF_FIRST },
    { "7.5.2.order-invalid", "[8555-7.1.6-6]", "Its pending order is invalid then.", makes_order_invalid, CF_FIRST },
    { "7.5.2.next-order", "[8555-7.5.2-3]", "A deactivated authorization is no good for the next order.",
      not_for_the_next_order, CF_FIRST },
    { "7.5.2.no-response", "[8555-7.5.2-3] [8555-7.5.1-3]", "Its challenges take no response any more.",
      not_answered_any_more, CF_FIRST },
    { "7.5.2.stays", "[8555-7.5.2-3]", "A deactivated authorization cannot be made pending again.", stays_deactivated,
      CF_FIRST, .text = "{\"status\":\"pending\"}" },
    { "7.4.1.created", "[8555-7.4.1-3] [8555-7.4.1-4]", "newAuthz is answered 201 with a pending authorization.",
      pre_authorization, PRE },
    { "7.4.1.used", "[8555-7.1.3-7] [8555-7.1.3-8]", "A pre-authorization should count for a later order.",
      pre_authorization_used, PRE },
    { "7.4.1.foreign", "[8555-6.3-4]", "A pre-authorization is not shown to another account.",
      pre_authorization_is_ours, PRE | CF_SECOND },
    { "7.4.1.of-another", "", "A pre-authorization does not count for another account's order.",
      pre_authorization_of_another, PRE | CF_SECOND },
    { "7.4.1.wildcard", "[8555-7.4.1-5] [8555-7.1.4-8]", "A wildcard cannot be pre-authorized.",
      pre_authorization_refused, PRE, .text = "*.pre.example.test" },
    { "7.4.1.bad-name", "[8555-7.4.1-1]", "A name with a space cannot be pre-authorized.", pre_authorization_refused,
      PRE, .text = "a b.example.test" },
    { "7.4.1.forbidden", "[8555-7.4.1-2]", "A name that is never issued for should be answered 403 with the reason.",
      pre_authorization_forbidden, PRE, .text = "a_b.example.test" },
    { "7.4.1.no-identifier", "[8555-7.4.1-1]", "newAuthz without identifier is malformed.", pre_authorization_malformed,
      PRE, .text = "{}" },
    { "7.4.1.identifier-no-object", "[8555-7.4.1-1]", "newAuthz with a text as identifier is malformed.",
      pre_authorization_malformed, PRE, .text = "{\"identifier\":\"a.example.test\"}" },
};

CF_GROUP(authorization, "RFC 8555", "7.1.4,7.5", "authorizations and pre-authorization");
