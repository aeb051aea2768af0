#include "test-client/conformance/check.h"

static bool get_order(struct cf *cf, const struct cf_jws *jws)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, jws);
    return body != NULL && cf_post_body(cf, cf->first, cf->pending.url, body);
}

static bool has_nonce(struct cf *cf)
{
    const char *nonce;
    TRY(cf_has_header(cf, "Replay-Nonce", &nonce));
    return cf_is_b64(nonce) || cf_fail(cf, "the Replay-Nonce \"%.100s\" is not base64url", nonce);
}

static bool bad_nonce(struct cf *cf)
{
    return cf_refused(cf, 400, "badNonce") && has_nonce(cf);
}

static bool replayed(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { 0 });
    TRY(body != NULL && cf_post_body(cf, cf->first, cf->pending.url, body) && cf_expect(cf, 200));
    return cf_post_body(cf, cf->first, cf->pending.url, body) && bad_nonce(cf);
}

static bool reused(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    TRY(get_order(cf, &(struct cf_jws) { .nonce = nonce }) && cf_expect(cf, 200));
    struct tc_post post = { .url = tc_session_kid(cf->first), .nonce = nonce };
    return cf_post(cf, cf->first, &post) && bad_nonce(cf);
}

/* A nonce is no account's: what one account spent, no other has. */
static bool reused_by_another(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    TRY(get_order(cf, &(struct cf_jws) { .nonce = nonce }) && cf_expect(cf, 200));
    struct tc_post post = { .url = tc_session_kid(cf->second), .nonce = nonce };
    return cf_post(cf, cf->second, &post) && bad_nonce(cf);
}

/* Only what the first request did may have spent it: an error from a later stage of the checks. */
static bool spent_by_an_error(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    struct tc_post post = { .url = cf_resource(cf, "newOrder"), .payload = "{}", .nonce = nonce };
    TRY(cf_post(cf, cf->first, &post) && cf_refused(cf, 0, NULL));
    return get_order(cf, &(struct cf_jws) { .nonce = nonce }) && bad_nonce(cf);
}

static bool missing(struct cf *cf)
{
    return get_order(cf, &(struct cf_jws) { .nonce = "" }) && bad_nonce(cf);
}

static bool made_up(struct cf *cf)
{
    return get_order(cf, &(struct cf_jws) { .nonce = cf->check->text }) && bad_nonce(cf);
}

static bool altered(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    char first = nonce[0] == 'A' ? 'B' : 'A';
    const char *other = cf_print(cf, "%c%s", first, nonce + 1);
    return get_order(cf, &(struct cf_jws) { .nonce = other }) && bad_nonce(cf);
}

static bool not_base64url(struct cf *cf)
{
    return get_order(cf, &(struct cf_jws) { .nonce = cf->check->text }) && cf_refused(cf, 400, "malformed");
}

static bool padded(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    return get_order(cf, &(struct cf_jws) { .nonce = cf_print(cf, "%s==", nonce) }) && cf_refused(cf, 400, NULL);
}

static bool not_a_text(struct cf *cf)
{
    return get_order(cf, &(struct cf_jws) { .nonce = "", .more = ",\"nonce\":12" }) &&
           cf_refused(cf, 400, "malformed|badNonce");
}

static bool unprotected(struct cf *cf)
{
    const char *nonce;
    TRY(cf_take_nonce(cf, cf->first, &nonce));
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .nonce = "" });
    TRY(body != NULL);
    body = cf_print(cf, "%.*s,\"header\":{\"nonce\":\"%s\"}}", (int)strlen(body) - 1, body, nonce);
    return cf_post_body(cf, cf->first, cf->pending.url, body) && cf_refused(cf, 400, "malformed|badNonce");
}

static bool usable_after_error(struct cf *cf)
{
    TRY(missing(cf));
    const char *nonce = cf_print(cf, "%s", cf_header(cf, "Replay-Nonce"));
    return get_order(cf, &(struct cf_jws) { .nonce = nonce }) && cf_expect(cf, 200);
}

static bool in_success(struct cf *cf)
{
    return get_order(cf, &(struct cf_jws) { 0 }) && cf_expect(cf, 200) && has_nonce(cf);
}

static bool in_creation(struct cf *cf)
{
    struct cf_order order;
    return cf_order(cf, cf->first, &order) && has_nonce(cf);
}

static bool in_certificate(struct cf *cf)
{
    return cf_call(cf, cf->first, cf->issued.order.certificate, NULL) && cf_expect(cf, 200) && has_nonce(cf);
}

static bool in_error(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), "{}") && cf_refused(cf, 0, NULL) && has_nonce(cf);
}

static bool in_bad_signature(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { 0 });
    TRY(body != NULL && cf_post_body(cf, cf->first, cf->pending.url, cf_replace(cf, body, "signature", "AAAA")));
    return cf_refused(cf, 0, NULL) && has_nonce(cf);
}

static bool in_wrong_type(struct cf *cf)
{
    struct tc_post post = { .url = cf->pending.url, .content_type = "text/plain" };
    return cf_post(cf, cf->first, &post) && cf_refused(cf, 415, NULL) && has_nonce(cf);
}

enum { NONCES = 40 };

static bool unique(struct cf *cf)
{
    const char *seen[NONCES];
    for (size_t i = 0; i < NONCES; i++) {
        TRY(cf_fetch(cf, "HEAD", cf_resource(cf, "newNonce"), NULL) && has_nonce(cf));
        seen[i] = cf_print(cf, "%s", cf_header(cf, "Replay-Nonce"));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(seen[i], seen[k]) == 0)
                return cf_fail(cf, "the nonce %.100s came twice", seen[i]);
        }
    }
    return true;
}

/* 128 bits are 22 characters of base64url; and nonces that only count up differ in their ends only. */
static bool unpredictable(struct cf *cf)
{
    const char *nonces[2];
    for (size_t i = 0; i < ARRAY_SIZE(nonces); i++) {
        TRY(cf_fetch(cf, "HEAD", cf_resource(cf, "newNonce"), NULL) && has_nonce(cf));
        nonces[i] = cf_print(cf, "%s", cf_header(cf, "Replay-Nonce"));
    }
    size_t differ = 0, len = strlen(nonces[0]);
    for (size_t i = 0; i < len && i < strlen(nonces[1]); i++)
        differ += nonces[0][i] != nonces[1][i];
    if (len < 11)
        return cf_fail(cf, "a nonce of %zu characters can be guessed", len);
    return differ >= 6 || cf_fail(cf, "two nonces differ in %zu characters only", differ);
}

static const struct cf_check nonce_checks[] = {
    { "6.5.replayed-request", "[8555-6.5-4] [8555-6.5-5] [8555-6.5-7]",
      "The same request sent twice is answered badNonce the second time.", replayed, CF_PENDING },
    { "6.5.reused-nonce", "[8555-6.5-4] [8555-6.5-5]", "A nonce in a second, different request is answered badNonce.",
      reused, CF_PENDING },
    { "6.5.reused-by-another", "[8555-6.5-4]", "A nonce that one account has spent is no good for another.",
      reused_by_another, CF_PENDING | CF_SECOND },
    { "6.5.spent-by-an-error", "[8555-6.5-4]", "A request that was refused for its payload has spent its nonce.",
      spent_by_an_error, CF_PENDING },
    { "6.5.missing", "[8555-6.2-11] [8555-6.5-6] [8555-6.5-7]", "A request without a nonce is answered badNonce.",
      missing, CF_PENDING },
    { "6.5.never-issued", "[8555-6.5-3] [8555-6.5-5]", "A nonce that the server never gave out is answered badNonce.",
      made_up, CF_PENDING, .text = "bm90LWEtbm9uY2UtZnJvbS10aGlzLXNlcnZlcg" },
    { "6.5.short", "[8555-6.5-3]", "A nonce of one byte is answered badNonce.", made_up, CF_PENDING, .text = "AA" },
    { "6.5.altered", "[8555-6.5-3] [8555-6.5.1-2]", "A fresh nonce with one character changed is answered badNonce.",
      altered, CF_PENDING },
    { "6.5.usable-after-error", "[8555-6.5-8]", "The nonce of a badNonce answer is good for the next try.",
      usable_after_error, CF_PENDING },
    { "6.5.in-success", "[8555-6.5-1]", "An answer to a POST-as-GET carries Replay-Nonce.", in_success, CF_PENDING },
    { "6.5.in-creation", "[8555-6.5-1]", "An answer with status 201 carries Replay-Nonce.", in_creation, CF_FIRST },
    { "6.5.in-certificate", "[8555-6.5-1]", "An answer with a certificate carries Replay-Nonce.", in_certificate,
      CF_ISSUED },
    { "6.5.in-error", "[8555-6.5-2]", "A refused payload is answered with Replay-Nonce.", in_error, CF_FIRST },
    { "6.5.in-bad-signature", "[8555-6.5-2]", "A bad signature is answered with Replay-Nonce.", in_bad_signature,
      CF_PENDING },
    { "6.5.in-wrong-media-type", "[8555-6.5-2]", "A wrong Content-Type is answered with Replay-Nonce.", in_wrong_type,
      CF_PENDING },
    { "6.5.1.unique", "[8555-6.5.1-1] [8555-6.5.1-3]", "Forty nonces in a row are all different.", unique },
    { "6.5.1.unpredictable", "[8555-6.5.1-2]", "A nonce is long, and not its predecessor counted up.", unpredictable },
    { "6.5.2.not-base64url", "[8555-6.5.2-2]", "A nonce with other characters than base64url's is malformed.",
      not_base64url, CF_PENDING, .text = "a nonce/with+others" },
    { "6.5.2.padded", "[8555-6.5.2-2]", "A nonce with padding is refused.", padded, CF_PENDING },
    { "6.5.2.not-a-text", "[8555-6.5.2-2]", "A nonce that is a number is refused.", not_a_text, CF_PENDING },
    { "6.5.2.unprotected", "[8555-6.5.2-1]", "A nonce in the unprotected header does not count.", unprotected,
      CF_PENDING },
};

CF_GROUP(nonce, "RFC 8555", "6.5", "replay protection");
