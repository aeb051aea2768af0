#include "test-client/conformance/check.h"
#include "test-client/conformance/eab.h"

static bool post_bound(struct cf *cf, struct tc_session *session, const char *binding)
{
    struct tc_post post = { .url = cf_resource(cf, "newAccount"), .embed_key = true };
    TRY(binding != NULL);
    post.payload = cf_print(cf, "{\"termsOfServiceAgreed\":true,\"externalAccountBinding\":%s}", binding);
    return cf_post(cf, session, &post);
}

static bool makes_no_account(struct cf *cf, struct tc_session *session)
{
    struct tc_post post = { .url = cf_resource(cf, "newAccount"),
                            .payload = "{\"onlyReturnExisting\":true}",
                            .embed_key = true };
    TRY(cf_post(cf, session, &post));
    return cf->answer->status >= 400 || cf_fail(cf, "newAccount was refused and made an account all the same");
}

static bool refused(struct cf *cf, const struct cf_eab *eab)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && post_bound(cf, session, cf_eab(cf, session, eab)));
    return cf_refused(cf, 0, NULL) && makes_no_account(cf, session);
}

static bool bound(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    const char *binding = cf_eab(cf, session, &(struct cf_eab) { .alg = cf->check->text });
    TRY(post_bound(cf, session, binding));
    if (cf->answer->status >= 400 && cf->check->arg != 0)
        return cf_refused(cf, 0, NULL) && cf_skip(cf, "the server takes no %s", cf->check->text);
    TRY(cf_expect(cf, 201));
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) sent = json_read_object(bytes_text(binding), why);
    return json_equal(sent, json_object_get(cf->body, "externalAccountBinding")) ||
           cf_fail(cf, "the account has not the binding that was sent");
}

static bool shown_later(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    TRY(post_bound(cf, session, cf_eab(cf, session, &(struct cf_eab) { 0 })) && cf_expect(cf, 201));
    const char *kid = cf_print(cf, "%s", cf_header(cf, "Location") != NULL ? cf_header(cf, "Location") : "");
    CHECK(tc_session_set_kid(session, kid));
    TRY(cf_call(cf, session, kid, NULL) && cf_expect(cf, 200));
    return json_is_object(json_object_get(cf->body, "externalAccountBinding")) ||
           cf_fail(cf, "the account has no externalAccountBinding later on");
}

enum fault { WRONG_MAC, WRONG_SECRET, UNKNOWN_KID, OTHER_URL, WITH_NONCE, OTHER_KEY, NO_KEY, SIGNATURE_ALG, NO_ALG };

static bool faulty(struct cf *cf)
{
    struct cf_eab eab = { 0 };
    switch ((enum fault)cf->check->arg) {
    case WRONG_MAC:
        eab.flip = true;
        break;
    case WRONG_SECRET:
        eab.secret_b64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw";
        break;
    case UNKNOWN_KID:
        eab.kid = "no-such-key-identifier";
        break;
    case OTHER_URL:
        eab.url = cf_resource(cf, "newOrder");
        break;
    case WITH_NONCE:
        eab.more = ",\"nonce\":\"bm9uY2U\"";
        break;
    case OTHER_KEY:
        eab.payload = jwk_json(cf_jwk(cf, cf_key(cf, TC_KEY_P256)));
        break;
    case NO_KEY:
        eab.payload = "{}";
        break;
    case SIGNATURE_ALG:
        eab.alg = "ES256";
        break;
    case NO_ALG:
        eab.alg = "none";
        break;
    }
    return refused(cf, &eab);
}

static bool ill_formed(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && post_bound(cf, session, cf->check->text));
    return cf_refused(cf, 0, NULL) && makes_no_account(cf, session);
}

/* A server without any keys may refuse it or ignore it. */
static bool unverified_not_shown(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    const char *key = cf_b64(cf, bytes_text(jwk_json(tc_session_key(session))));
    const char *header = cf_b64(cf, bytes_text(cf_print(cf, "{\"alg\":\"HS256\",\"kid\":\"nobody\",\"url\":\"%s\"}",
                                                        cf_resource(cf, "newAccount"))));
    TRY(post_bound(cf, session,
                   cf_print(cf, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"AAAA\"}", header, key)));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, NULL);
    return json_object_get(cf->body, "externalAccountBinding") == NULL ||
           cf_fail(cf, "a binding that nobody can have verified came back in the account");
}

static bool required(struct cf *cf)
{
    struct tc_session *session;
    struct tc_post post = { .url = cf_resource(cf, "newAccount"),
                            .payload = "{\"termsOfServiceAgreed\":true}",
                            .embed_key = true };
    return cf_open(cf, NULL, &session) && cf_post(cf, session, &post) && cf_refused(cf, 0, "externalAccountRequired") &&
           makes_no_account(cf, session);
}

static const struct cf_check eab_checks[] = {
    { "7.3.4.bound", "[8555-7.3.4-11] [8555-7.3.4-14]", "A good binding makes an account that shows it.", bound,
      CF_EAB },
    { "7.3.4.hs384", "", "A binding may use HS384.", bound, CF_EAB, 1, "HS384" },
    { "7.3.4.hs512", "", "A binding may use HS512.", bound, CF_EAB, 1, "HS512" },
    { "7.3.4.shown-later", "[8555-7.3.4-14]", "The account shows its binding later on too.", shown_later, CF_EAB },
    { "7.3.4.wrong-mac", "[8555-7.3.4-12] [8555-7.3.4-15]", "A binding with a damaged MAC is refused.", faulty, CF_EAB,
      WRONG_MAC },
    { "7.3.4.wrong-secret", "[8555-7.3.4-11] [8555-7.3.4-12] [8555-7.3.4-15]",
      "A binding made with another secret is refused.", faulty, CF_EAB, WRONG_SECRET },
    { "7.3.4.unknown-kid", "[8555-7.3.4-4]", "A binding with an unknown kid is refused.", faulty, CF_EAB, UNKNOWN_KID },
    { "7.3.4.other-url", "[8555-7.3.4-6]", "A binding for another url is refused.", faulty, CF_EAB, OTHER_URL },
    { "7.3.4.nonce", "[8555-7.3.4-5]", "A binding with a nonce is refused.", faulty, CF_EAB, WITH_NONCE },
    { "7.3.4.other-key", "[8555-7.3.4-13]", "A binding over another key is refused.", faulty, CF_EAB, OTHER_KEY },
    { "7.3.4.no-key", "[8555-7.3.4-13]", "A binding over no key is refused.", faulty, CF_EAB, NO_KEY },
    { "7.3.4.signature-alg", "[8555-7.3.4-3]", "A binding whose alg is no MAC is refused.", faulty, CF_EAB,
      SIGNATURE_ALG },
    { "7.3.4.alg-none", "[8555-7.3.4-3]", "A binding with the algorithm \"none\" is refused.", faulty, CF_EAB, NO_ALG },
    { "7.3.4.no-jws", "[8555-7.3.4-10]", "A binding that is an empty object is refused.", ill_formed, CF_EAB,
      .text = "{}" },
    { "7.3.4.no-object", "[8555-7.3.4-10]", "A binding that is a text is refused.", ill_formed, CF_EAB,
      .text = "\"binding\"" },
    { "7.3.4.unverified", "[8555-7.3.4-9]", "A binding that was not verified does not come back.",
      unverified_not_shown },
    { "7.3.4.required", "[8555-7.3.4-7] [8555-7.3.4-8]",
      "Where a binding is required, newAccount without one should be externalAccountRequired.", required,
      CF_EAB_REQUIRED },
};

CF_GROUP(eab, "RFC 8555", "7.3.4", "external account binding");
