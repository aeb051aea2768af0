/* RFC 8555 §7.5.1 and §8: responses to challenges, and what proves a name. */
#include "test-client/conformance/check.h"

#include "base/clock_text.h"

/* A fresh order and its challenge of one type. */
static bool begin(struct cf *cf, const char *type, struct cf_order *order, struct cf_challenge *challenge)
{
    TRY(cf_order(cf, cf->first, order));
    TRY(cf_challenge(cf, cf->first, order->authorizations[0], type, challenge));
    return cf_prover_can(cf->prover, challenge->type) || cf_skip(cf, "%s cannot be answered from here", type);
}

static bool put(struct cf *cf, const struct cf_challenge *challenge, const char *content)
{
    return cf_prover_answer(cf->prover, challenge->type, challenge->name, challenge->token, content) ||
           cf_skip(cf, "such an answer cannot be put up from here");
}

static bool respond(struct cf *cf, const struct cf_challenge *challenge)
{
    return cf_call(cf, cf->first, challenge->url, "{}") && cf_expect(cf, 200);
}

static bool good(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, cf->check->text, &order, &challenge));
    return put(cf, &challenge, challenge.key_authorization) && cf_ends_as(cf, &order, &challenge, "valid");
}

static bool white_space(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge));
    return put(cf, &challenge, cf_print(cf, "%s \r\n\t\n", challenge.key_authorization)) &&
           cf_ends_as(cf, &order, &challenge, "valid");
}

/* What is put up instead; the formats take token, thumbprint, key authorization. */
enum wrong {
    NOTHING,
    TOKEN_ALONE,
    OTHER_THUMBPRINT,
    OTHER_TOKEN,
    PREFIX,
    SUFFIX,
    LOWER_CASE,
    EMPTY,
    HTML,
};

static const char *wrong_content(struct cf *cf, const struct cf_challenge *challenge)
{
    const char *right = challenge->key_authorization;
    const char *thumbprint = strchr(right, '.') + 1;
    switch ((enum wrong)cf->check->arg) {
    case TOKEN_ALONE:
        return challenge->token;
    case OTHER_THUMBPRINT:
        return cf_print(cf, "%s.%s", challenge->token, jwk_thumbprint(tc_session_key(cf->second)));
    case OTHER_TOKEN:
        return cf_print(cf, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.%s", thumbprint);
    case PREFIX:
        return cf_print(cf, "x%s", right);
    case SUFFIX:
        return cf_print(cf, "%sx", right);
    case LOWER_CASE: {
        char *text = arena_text(cf->arena, right);
        CHECK(text != NULL);
        for (char *c = text; *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        return text;
    }
    case HTML:
        return cf_print(cf, "<html>%s</html>", right);
    default:
        return "";
    }
}

static bool wrong(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, cf->check->text, &order, &challenge));
    TRY(cf->check->arg == NOTHING || put(cf, &challenge, wrong_content(cf, &challenge)));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool failed_challenge(struct cf *cf, struct cf_order *order, struct cf_challenge *challenge)
{
    return begin(cf, "http-01", order, challenge) && put(cf, challenge, "wrong") &&
           cf_ends_as(cf, order, challenge, "invalid");
}

static bool failure_is_shown(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(failed_challenge(cf, &order, &challenge) && cf_call(cf, cf->first, challenge.url, NULL) && cf_expect(cf, 200));
    const json_t *error = json_object_get(cf->body, "error");
    TRY(json_member_text(error, "type") != NULL || cf_fail(cf, "the challenge has no \"error\" with a type"));
    return cf_status_is(cf, "invalid") || cf_header(cf, "Retry-After") != NULL ||
           cf_fail(cf, "the challenge has an error, but is neither invalid nor says when it is tried again");
}

static bool failure_stays_listed(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(failed_challenge(cf, &order, &challenge));
    TRY(cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    const json_t *found = cf_find_challenge(cf, "http-01");
    const char *status = json_member_text(found, "status");
    return (status != NULL && strcmp(status, "invalid") == 0) ||
           cf_fail(cf, "the invalid authorization does not list the challenge that failed");
}

static bool failure_makes_order_invalid(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(failed_challenge(cf, &order, &challenge) && cf_settle(cf, cf->first, order.url));
    return cf_status_is(cf, "invalid") || cf_fail(cf, "the order is not invalid");
}

static bool failure_is_final(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(failed_challenge(cf, &order, &challenge) && put(cf, &challenge, challenge.key_authorization));
    TRY(cf_call(cf, cf->first, challenge.url, "{}"));
    TRY(cf_settle(cf, cf->first, order.authorizations[0]));
    return cf_status_is(cf, "invalid") || cf_fail(cf, "an invalid authorization became something else");
}

static bool failure_cannot_be_finalized(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(failed_challenge(cf, &order, &challenge));
    return cf_finalize(cf, &order, cf_csr_for(cf, cf_key(cf, TC_KEY_P256), order.name)) &&
           cf_refused(cf, 403, "orderNotReady");
}

static bool answered(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge) && put(cf, &challenge, challenge.key_authorization));
    TRY(respond(cf, &challenge));
    const char *type = cf_member(cf, "type"), *url = cf_member(cf, "url"), *status;
    if (type == NULL || strcmp(type, "http-01") != 0 || url == NULL || strcmp(url, challenge.url) != 0)
        return cf_fail(cf, "the answer is not the challenge's object");
    return cf_has_text(cf, "status", &status) && cf_settle(cf, cf->first, order.authorizations[0]);
}

static bool linked(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge) && put(cf, &challenge, challenge.key_authorization));
    TRY(respond(cf, &challenge));
    const char *up = cf_link(cf, "up");
    TRY(up != NULL || cf_fail(cf, "the answer has no Link with rel=\"up\""));
    return strcmp(up, order.authorizations[0]) == 0 || cf_fail(cf, "rel=\"up\" leads to %.200s", up);
}

static bool polled(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge) && put(cf, &challenge, challenge.key_authorization));
    TRY(respond(cf, &challenge) && cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    const char *after = cf_header(cf, "Retry-After");
    int64_t wait_ms;
    if (after != NULL && !tc_retry_after(after, 0, &wait_ms))
        return cf_fail(cf, "the Retry-After \"%.100s\" is neither seconds nor a date", after);
    return cf_settle(cf, cf->first, order.authorizations[0]);
}

static bool extra_members_ignored(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge) && put(cf, &challenge, challenge.key_authorization));
    TRY(cf_call(cf, cf->first, challenge.url, "{\"made-up\":[1,2],\"status\":\"valid\"}") && cf_expect(cf, 200));
    TRY(cf_settle(cf, cf->first, order.authorizations[0]));
    return cf_status_is(cf, "valid") || cf_fail(cf, "the authorization is not valid");
}

static bool bad_response(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "http-01", &order, &challenge) && cf_call(cf, cf->first, challenge.url, cf->check->text));
    return cf_refused(cf, 0, NULL);
}

static bool validated_at(struct cf *cf)
{
    const char *text;
    int64_t at_ms;
    TRY(cf_call(cf, cf->first, cf->issued.order.authorizations[0], NULL) && cf_expect(cf, 200));
    size_t i;
    json_t *challenge;
    json_array_foreach (json_object_get(cf->body, "challenges"), i, challenge) {
        const char *status = json_member_text(challenge, "status");
        if (status == NULL || strcmp(status, "valid") != 0)
            continue;
        text = json_member_text(challenge, "validated");
        return (text != NULL && time_parse(text, &at_ms)) ||
               cf_fail(cf, "the valid challenge's \"validated\" is no RFC 3339 time");
    }
    return cf_fail(cf, "there is no valid challenge");
}

/* 128 bits are 22 characters. */
static bool token(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge[2];
    for (size_t i = 0; i < 2; i++) {
        TRY(cf_order(cf, cf->first, &order));
        TRY(cf_challenge(cf, cf->first, order.authorizations[0], cf->check->text, &challenge[i]));
        if (!cf_is_b64(challenge[i].token))
            return cf_fail(cf, "the token \"%.100s\" is not base64url", challenge[i].token);
        if (strlen(challenge[i].token) < 22)
            return cf_fail(cf, "a token of %zu characters has less than 128 bits", strlen(challenge[i].token));
    }
    return strcmp(challenge[0].token, challenge[1].token) != 0 || cf_fail(cf, "two challenges have the same token");
}

/* --- dns-01 --- */

static const char *txt_name(struct cf *cf, const struct cf_challenge *challenge)
{
    return cf_print(cf, "_acme-challenge.%s", challenge->name);
}

static bool among_others(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "dns-01", &order, &challenge));
    TRY(cf_prover_txt(cf->prover, txt_name(cf, &challenge), "something else") ||
        cf_skip(cf, "the TXT record cannot be put up from here"));
    TRY(put(cf, &challenge, challenge.key_authorization));
    TRY(cf_prover_txt(cf->prover, txt_name(cf, &challenge), "and more") ||
        cf_skip(cf, "the TXT record cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "valid");
}

/* The key authorization itself instead of its digest; the right value at a wrong name. */
static bool wrong_txt(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "dns-01", &order, &challenge));
    const char *digest = key_authorization_dns(cf->arena, challenge.key_authorization);
    CHECK(digest != NULL);
    bool misplaced = cf->check->arg != 0;
    TRY(cf_prover_txt(cf->prover, misplaced ? challenge.name : txt_name(cf, &challenge),
                      misplaced ? digest : challenge.key_authorization) ||
        cf_skip(cf, "the TXT record cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool wildcard(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    const char *name = cf_print(cf, "*.%s", cf_name(cf));
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { name, NULL }, NULL, &order));
    TRY(cf_challenge(cf, cf->first, order.authorizations[0], "dns-01", &challenge));
    TRY(cf_prover_can(cf->prover, CHALLENGE_DNS_01) || cf_skip(cf, "dns-01 cannot be answered from here"));
    return put(cf, &challenge, challenge.key_authorization) && cf_ends_as(cf, &order, &challenge, "valid");
}

/* A proof for the name is none for its wildcard. */
static bool wildcard_not_by_name(struct cf *cf)
{
    struct cf_order order;
    const char *wild = cf_print(cf, "*.%s", cf->issued.order.name);
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { wild, NULL }, NULL, &order));
    return cf_status_is(cf, "pending") || cf_fail(cf, "the order for the wildcard is not pending");
}

static const struct cf_check challenge_checks[] = {
    { "7.5.1.answered", "[8555-7.5.1-2] [8555-8-1]", "A response is answered 200 with the challenge.", answered,
      CF_FIRST },
    { "7.5.1.linked", "[8555-7.1-3]", "That answer links to the authorization.", linked, CF_FIRST },
    { "7.5.1.polled", "[8555-7.5.1-6]", "An authorization under validation can be looked at.", polled, CF_FIRST },
    { "7.5.1.extra-members", "[8555-7.5.1-1]", "Members of a response that its type does not have are ignored.",
      extra_members_ignored, CF_FIRST },
    { "7.5.1.response-array", "[8555-7.5.1-3]", "A response that is an array is refused.", bad_response, CF_FIRST,
      .text = "[]" },
    { "7.5.1.response-no-json", "[8555-7.5.1-3]", "A response that is no JSON is refused.", bad_response, CF_FIRST,
      .text = "yes" },
    { "7.5.1.failure-stays", "[8555-7.5.1-5] [8555-7.1.4-3]", "A failed challenge should stay in its authorization.",
      failure_stays_listed, CF_FIRST },
    { "7.1.6.failure-order", "[8555-7.1.6-2] [8555-7.1.6-6]", "A failed challenge makes its order invalid.",
      failure_makes_order_invalid, CF_FIRST },
    { "7.1.6.failure-final", "[8555-7.1.6-1]", "An invalid authorization never becomes valid.", failure_is_final,
      CF_FIRST },
    { "7.4.failure-finalize", "[8555-7.4-10]", "An invalid order cannot be finalized.", failure_cannot_be_finalized,
      CF_FIRST },
    { "8.validated", "[8555-8-2]", "A valid challenge has the time of its validation.", validated_at, CF_ISSUED },
    { "8.error", "[8555-8-3] [8555-8-4]", "An invalid challenge should have its error.", failure_is_shown, CF_FIRST },
    { "8.3.good", "[8555-8.1-2] [8555-8.3-7]", "http-01 passes with the key authorization.", good, CF_FIRST,
      .text = "http-01" },
    { "8.3.white-space", "[8555-8.3-5]", "http-01 should pass with white space behind it.", white_space, CF_FIRST },
    { "8.3.token", "[8555-8.3-1] [8555-8.3-2]", "An http-01 token is base64url of 128 bits or more.", token, CF_FIRST,
      .text = "http-01" },
    { "8.3.nothing", "[8555-8.3-4]", "http-01 fails when nothing is there.", wrong, CF_FIRST, NOTHING, "http-01" },
    { "8.3.empty", "[8555-8.3-4]", "http-01 fails with an empty body.", wrong, CF_FIRST, EMPTY, "http-01" },
    { "8.3.token-alone", "[8555-8.1-2] [8555-8.3-4]", "http-01 fails with the token alone.", wrong, CF_FIRST,
      TOKEN_ALONE, "http-01" },
    { "8.3.other-thumbprint", "[8555-8.1-2]", "http-01 fails with another account's thumbprint.", wrong,
      CF_FIRST | CF_SECOND, OTHER_THUMBPRINT, "http-01" },
    { "8.3.other-token", "[8555-8.1-2]", "http-01 fails with another token.", wrong, CF_FIRST, OTHER_TOKEN, "http-01" },
    { "8.3.prefix", "[8555-8.3-4]", "http-01 fails with a byte in front.", wrong, CF_FIRST, PREFIX, "http-01" },
    { "8.3.suffix", "[8555-8.3-4]", "http-01 fails with a byte behind.", wrong, CF_FIRST, SUFFIX, "http-01" },
    { "8.3.lower-case", "[8555-8.3-4]", "http-01 fails with the key authorization in lower case.", wrong, CF_FIRST,
      LOWER_CASE, "http-01" },
    { "8.3.html", "[8555-8.3-4]", "http-01 fails with a page around the key authorization.", wrong, CF_FIRST, HTML,
      "http-01" },
    { "8.4.good", "[8555-8.4-3]", "dns-01 passes with the digest in the TXT record.", good, CF_FIRST,
      .text = "dns-01" },
    { "8.4.among-others", "[8555-8.4-3]", "dns-01 passes when one of several TXT records is right.", among_others,
      CF_FIRST },
    { "8.4.token", "[8555-8.4-1] [8555-8.4-2]", "A dns-01 token is base64url of 128 bits or more.", token, CF_FIRST,
      .text = "dns-01" },
    { "8.4.nothing", "[8555-8.4-3]", "dns-01 fails when nothing is there.", wrong, CF_FIRST, NOTHING, "dns-01" },
    { "8.4.other-thumbprint", "[8555-8.1-2]", "dns-01 fails with another account's thumbprint.", wrong,
      CF_FIRST | CF_SECOND, OTHER_THUMBPRINT, "dns-01" },
    { "8.4.not-digested", "[8555-8.4-3]", "dns-01 fails with the key authorization itself.", wrong_txt, CF_FIRST, 0 },
    { "8.4.other-name", "[8555-8.4-3]", "dns-01 fails with the record at the name itself.", wrong_txt, CF_FIRST, 1 },
    { "8.4.wildcard", "[8555-8.4-3]", "dns-01 passes for a wildcard.", wildcard, CF_FIRST },
    { "8.wildcard-not-by-name", "", "A proof for a name is none for its wildcard.", wildcard_not_by_name, CF_ISSUED },
};

CF_GROUP(challenge, "RFC 8555", "7.5.1,8", "challenges, http-01 and dns-01");
