/* Orders from newOrder to the certificate. */
#include "test-client/conformance/inside.h"

#include "base/encode.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <uv.h>

enum { FIRST_PAUSE_MS = 5, LONGEST_PAUSE_MS = 500 };

static const char *identifier_type(const char *name)
{
    uint8_t address[16];
    bool ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    return ip ? "ip" : "dns";
}

const char *cf_order_payload(struct cf *cf, const char *const *names, const char *more)
{
    const char *list = "";
    for (size_t i = 0; names[i] != NULL; i++)
        list = cf_print(cf, "%s%s{\"type\":\"%s\",\"value\":\"%s\"}", list, i > 0 ? "," : "", identifier_type(names[i]),
                        names[i]);
    return cf_print(cf, "{\"identifiers\":[%s]%s}", list, more != NULL ? more : "");
}

bool cf_read_order(struct cf *cf, struct cf_order *order)
{
    const json_t *list = cf->body != NULL ? json_object_get(cf->body, "authorizations") : NULL;
    size_t count = json_array_size(list);
    TRY(cf_has_text(cf, "finalize", &order->finalize));
    if (count == 0 || count > CF_AUTHORIZATIONS_MAX)
        return cf_fail(cf, "the order has %zu authorizations", count);
    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        if (url == NULL)
            return cf_fail(cf, "\"authorizations\" holds something that is no text");
        order->authorizations[i] = cf_print(cf, "%s", url);
    }
    order->authorization_count = count;
    return true;
}

bool cf_order_names(struct cf *cf, struct tc_session *session, const char *const *names, const char *more,
                    struct cf_order *out)
{
    const char *location;
    *out = (struct cf_order) { .owner = session, .name = names[0] };
    TRY(cf_call(cf, session, cf_resource(cf, "newOrder"), cf_order_payload(cf, names, more)));
    TRY(cf_expect(cf, 201) && cf_has_header(cf, "Location", &location));
    out->url = cf_print(cf, "%s", location);
    return cf_read_order(cf, out);
}

bool cf_order(struct cf *cf, struct tc_session *session, struct cf_order *out)
{
    return cf_order_names(cf, session, (const char *const[]) { cf_name(cf), NULL }, NULL, out);
}

json_t *cf_find_challenge(const struct cf *cf, const char *type)
{
    size_t i;
    json_t *challenge;
    json_array_foreach (json_object_get(cf->body, "challenges"), i, challenge) {
        const char *is = json_member_text(challenge, "type");
        if (is != NULL && strcmp(is, type) == 0)
            return challenge;
    }
    return NULL;
}

static bool read_challenge(struct cf *cf, struct tc_session *session, json_t *challenge, struct cf_challenge *out)
{
    const char *url = json_member_text(challenge, "url"), *token = json_member_text(challenge, "token");
    const char *name = json_member_text(json_object_get(cf->body, "identifier"), "value");
    if (url == NULL || name == NULL)
        return cf_fail(cf, "the authorization lacks the challenge's \"url\" or its identifier");
    out->url = cf_print(cf, "%s", url);
    out->token = cf_print(cf, "%s", token != NULL ? token : "");
    out->name = cf_print(cf, "%s", name);
    out->key_authorization = cf_print(cf, "%s.%s", out->token, jwk_thumbprint(tc_session_key(session)));
    return true;
}

bool cf_challenge(struct cf *cf, struct tc_session *session, const char *authorization, const char *type,
                  struct cf_challenge *out)
{
    TRY(cf_call(cf, session, authorization, NULL) && cf_expect(cf, 200));
    json_t *challenge = cf_find_challenge(cf, type);
    if (challenge == NULL)
        return cf_skip(cf, "no %s challenge is offered", type);
    *out = (struct cf_challenge) { 0 };
    if (!challenge_type_from_text(type, &out->type))
        out->type = CHALLENGE_TYPES;
    return read_challenge(cf, session, challenge, out);
}

/* The first one that is on offer and that we can answer. */
static json_t *choose_challenge(const struct cf *cf, enum acme_challenge_type *out)
{
    static const enum acme_challenge_type preferred[] = { CHALLENGE_HTTP_01, CHALLENGE_DNS_01, CHALLENGE_TLS_ALPN_01 };
    for (size_t i = 0; i < ARRAY_SIZE(preferred); i++) {
        json_t *challenge = cf_find_challenge(cf, challenge_type_text(preferred[i]));
        if (challenge != NULL && cf_prover_can(cf->prover, preferred[i])) {
            *out = preferred[i];
            return challenge;
        }
    }
    return NULL;
}

/* With `or_error`, an "error" ends the waiting too. */
static bool settle(struct cf *cf, struct tc_session *session, const char *url, bool or_error)
{
    uint64_t until = uv_hrtime() + (uint64_t)cf->settings->patience_s * 1000000000;
    unsigned pause = FIRST_PAUSE_MS;
    for (;;) {
        TRY(cf_call(cf, session, url, NULL) && cf_expect(cf, 200));
        if (!cf_status_is(cf, "pending") && !cf_status_is(cf, "processing"))
            return true;
        if (or_error && cf->body != NULL && json_object_get(cf->body, "error") != NULL)
            return true;
        if (uv_hrtime() > until)
            return cf_fail(cf, "still %s after %ld seconds", cf_member(cf, "status"), cf->settings->patience_s);
        uv_sleep(pause);
        pause = 2 * pause < LONGEST_PAUSE_MS ? 2 * pause : LONGEST_PAUSE_MS;
    }
}

bool cf_settle(struct cf *cf, struct tc_session *session, const char *url)
{
    return settle(cf, session, url, false);
}

bool cf_ends_as(struct cf *cf, const struct cf_order *order, const struct cf_challenge *challenge, const char *status)
{
    TRY(cf_call(cf, order->owner, challenge->url, "{}") && cf_expect(cf, 200));
    if (strcmp(status, "invalid") == 0)
        return settle(cf, order->owner, challenge->url, true) &&
               (!cf_status_is(cf, "valid") || cf_fail(cf, "the challenge is valid"));
    TRY(cf_settle(cf, order->owner, order->authorizations[0]));
    return cf_status_is(cf, status) || cf_fail(cf, "the authorization is not %s", status);
}

bool cf_solve(struct cf *cf, struct tc_session *session, const char *authorization)
{
    TRY(cf_call(cf, session, authorization, NULL) && cf_expect(cf, 200));
    if (cf_status_is(cf, "valid"))
        return true;
    struct cf_challenge challenge;
    json_t *chosen = choose_challenge(cf, &challenge.type);
    if (chosen == NULL)
        return cf_skip(cf, "no challenge is offered that can be answered here");
    TRY(read_challenge(cf, session, chosen, &challenge));
    if (!cf_prover_answer(cf->prover, challenge.type, challenge.name, challenge.token, challenge.key_authorization))
        return cf_skip(cf, "such an answer cannot be put up from here");
    TRY(cf_call(cf, session, challenge.url, "{}") && cf_expect(cf, 200));
    TRY(cf_settle(cf, session, authorization));
    return cf_status_is(cf, "valid") || cf_fail(cf, "the authorization is not valid after the challenge was answered");
}

bool cf_authorize(struct cf *cf, struct cf_order *order)
{
    for (size_t i = 0; i < order->authorization_count; i++)
        TRY(cf_solve(cf, order->owner, order->authorizations[i]));
    TRY(cf_settle(cf, order->owner, order->url));
    return cf_status_is(cf, "ready") || cf_status_is(cf, "valid") ||
           cf_fail(cf, "the order is not ready although its authorizations are valid");
}

bool cf_ready(struct cf *cf, struct tc_session *session, struct cf_order *out)
{
    return cf_order(cf, session, out) && cf_authorize(cf, out);
}

bool cf_finalize(struct cf *cf, const struct cf_order *order, const char *csr)
{
    return cf_call(cf, order->owner, order->finalize, cf_print(cf, "{\"csr\":\"%s\"}", csr));
}

bool cf_collect(struct cf *cf, const struct cf_order *order, EVP_PKEY *key, struct cf_certificate *out)
{
    *out = (struct cf_certificate) { .order = *order, .key = key };
    TRY(cf_settle(cf, order->owner, order->url));
    if (!cf_status_is(cf, "valid"))
        return cf_fail(cf, "the order is not valid after finalize");
    TRY(cf_has_text(cf, "certificate", &out->order.certificate));
    TRY(cf_call(cf, order->owner, out->order.certificate, NULL) && cf_expect(cf, 200));
    out->pem = cf_print(cf, "%s", buf_str(&cf->answer->body));
    X509 *chain[TC_CHAIN_MAX];
    if (cf_read_chain(cf, out->pem, chain) == 0)
        return cf_fail(cf, "the certificate's answer is no PEM chain");
    out->leaf = chain[0];
    return true;
}

bool cf_issue(struct cf *cf, struct tc_session *session, const char *const *names, const char *more,
              struct cf_certificate *out)
{
    struct cf_order order;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_order_names(cf, session, names, more, &order) && cf_authorize(cf, &order));
    TRY(cf_finalize(cf, &order, cf_make_csr(cf, &(struct cf_csr) { .key = key, .names = names })));
    TRY(cf_expect(cf, 200));
    return cf_collect(cf, &order, key, out);
}

bool cf_issue_one(struct cf *cf, struct tc_session *session, struct cf_certificate *out)
{
    return cf_issue(cf, session, (const char *const[]) { cf_name(cf), NULL }, NULL, out);
}
