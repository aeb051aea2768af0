#include "test-client/conformance/check.h"

/* The parts of a key change; NULL or 0 stands for what is right, "" leaves out. */
struct change {
    const char *account, *old_key; /* of the payload; old_key as JSON */
    const char *payload;           /* the whole payload of the inner JWS */
    struct cf_jws inner;
    EVP_PKEY *new_key;
    bool flip; /* damages the inner signature */
};

/* A fresh account that is to change its key. */
static bool begin(struct cf *cf, struct tc_session **out_session, struct change *change)
{
    *change = (struct change) { .new_key = cf_key(cf, TC_KEY_P256) };
    return cf_account(cf, out_session);
}

static const char *inner_payload(struct cf *cf, struct tc_session *session, const struct change *change)
{
    if (change->payload != NULL)
        return change->payload;
    const char *account = change->account != NULL ? change->account : tc_session_kid(session);
    const char *old_key = change->old_key != NULL ? change->old_key : jwk_json(tc_session_key(session));
    const char *first = *account != '\0' ? cf_print(cf, "\"account\":\"%s\"", account) : "";
    const char *second = *old_key != '\0' ? cf_print(cf, "\"oldKey\":%s", old_key) : "";
    return cf_print(cf, "{%s%s%s}", first, *first != '\0' && *second != '\0' ? "," : "", second);
}

static bool send_change(struct cf *cf, struct tc_session *session, const struct change *change)
{
    const char *url = cf_resource(cf, "keyChange");
    struct jwk *new_key = cf_jwk(cf, change->new_key);
    struct cf_jws inner = change->inner;
    if (inner.key == NULL)
        inner.key = new_key;
    if (inner.jwk == NULL && inner.kid == NULL)
        inner.jwk = jwk_json(new_key);
    if (inner.nonce == NULL)
        inner.nonce = "";
    const char *body = cf_sign(cf, session, url, inner_payload(cf, session, change), &inner);
    TRY(body != NULL);
    return cf_call(cf, session, url, change->flip ? cf_replace(cf, body, "signature", "AAAA") : body);
}

static bool good_change(struct cf *cf, struct tc_session *session, const struct change *change)
{
    TRY(send_change(cf, session, change) && cf_expect(cf, 200));
    tc_session_set_key(session, jwk_ref(cf_jwk(cf, change->new_key)));
    return true;
}

static bool unchanged(struct cf *cf, struct tc_session *session)
{
    TRY(cf_call(cf, session, tc_session_kid(session), NULL));
    return cf->answer->status == 200 || cf_fail(cf, "the old key counts no more although the change was refused");
}

static bool refused(struct cf *cf, struct tc_session *session, const struct change *change)
{
    return send_change(cf, session, change) && cf_refused(cf, 0, NULL) && unchanged(cf, session);
}

static bool works(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    TRY(begin(cf, &session, &change) && good_change(cf, session, &change));
    return cf_call(cf, session, tc_session_kid(session), NULL) && cf_expect(cf, 200) &&
           (cf_status_is(cf, "valid") || cf_fail(cf, "the account is no longer valid"));
}

static bool old_key_is_out(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    TRY(begin(cf, &session, &change));
    struct jwk *old_key = jwk_ref(session != NULL ? (struct jwk *)tc_session_key(session) : NULL);
    bool changed = good_change(cf, session, &change);
    struct tc_post post = { .url = tc_session_kid(session), .key = old_key };
    bool out = changed && cf_post(cf, session, &post) && cf_refused(cf, 0, NULL);
    jwk_drop(old_key);
    return out;
}

static bool finds(struct cf *cf, struct tc_session *session)
{
    struct tc_post post = { .url = cf_resource(cf, "newAccount"),
                            .payload = "{\"onlyReturnExisting\":true}",
                            .embed_key = true };
    return cf_post(cf, session, &post);
}

static bool new_key_finds_account(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    const char *location;
    TRY(begin(cf, &session, &change) && good_change(cf, session, &change));
    TRY(finds(cf, session) && cf_expect(cf, 200) && cf_has_header(cf, "Location", &location));
    return strcmp(location, tc_session_kid(session)) == 0 || cf_fail(cf, "the new key finds another account");
}

static bool old_key_finds_nothing(struct cf *cf)
{
    struct tc_session *session, *old;
    struct change change;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_open(cf, key, &session) && cf_register(cf, session, "") && cf_expect(cf, 201));
    change = (struct change) { .new_key = cf_key(cf, TC_KEY_P256) };
    TRY(good_change(cf, session, &change) && cf_open(cf, key, &old));
    return finds(cf, old) && cf_refused(cf, 400, "accountDoesNotExist");
}

static bool order_survives(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    struct cf_order order;
    TRY(begin(cf, &session, &change) && cf_order(cf, session, &order) && good_change(cf, session, &change));
    TRY(cf_call(cf, session, order.authorizations[0], NULL) && cf_expect(cf, 200));
    TRY(cf_status_is(cf, "pending") || cf_status_is(cf, "valid") || cf_fail(cf, "the authorization is not pending"));
    return cf_call(cf, session, order.url, NULL) && cf_expect(cf, 200) &&
           (cf_status_is(cf, "pending") || cf_status_is(cf, "ready") || cf_fail(cf, "the order is not pending"));
}

/* A key authorization has the thumbprint of the key of the moment. */
static bool order_completes(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    struct cf_order order;
    TRY(begin(cf, &session, &change) && cf_order(cf, session, &order));
    return good_change(cf, session, &change) && cf_authorize(cf, &order);
}

static bool contact_survives(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && cf_register(cf, session, "\"contact\":[\"mailto:kept@example.com\"]"));
    if (cf->answer->status != 201 || strstr(buf_str(&cf->answer->body), "kept@") == NULL)
        return cf_skip(cf, "the server keeps no contacts");
    struct change change = { .new_key = cf_key(cf, TC_KEY_P256) };
    TRY(good_change(cf, session, &change) && cf_call(cf, session, tc_session_kid(session), NULL) && cf_expect(cf, 200));
    return strstr(buf_str(&cf->answer->body), "kept@") != NULL || cf_fail(cf, "the contact is lost");
}

enum fault {
    INNER_KID,
    INNER_URL,
    INNER_NO_URL,
    INNER_NONCE,
    INNER_FLIPPED,
    INNER_OTHER_SIGNER,
    INNER_OLD_SIGNER,
    OTHER_ACCOUNT,
    NO_ACCOUNT,
    OTHER_OLD_KEY,
    NO_OLD_KEY,
    EMPTY_PAYLOAD,
    ARRAY_PAYLOAD,
    WEAK_KEY,
    SAME_KEY,
};

static bool spoil(struct cf *cf, struct tc_session *session, struct change *change)
{
    switch ((enum fault)cf->check->arg) {
    case INNER_KID:
        change->inner.kid = tc_session_kid(session);
        return true;
    case INNER_URL:
        change->inner.url = cf_resource(cf, "newAccount");
        return true;
    case INNER_NO_URL:
        change->inner.url = "";
        return true;
    case INNER_NONCE:
        return cf_take_nonce(cf, session, &change->inner.nonce);
    case INNER_FLIPPED:
        change->flip = true;
        return true;
    case INNER_OTHER_SIGNER:
        change->inner.key = cf_jwk(cf, cf_key(cf, TC_KEY_P256));
        return true;
    case INNER_OLD_SIGNER:
        change->inner.key = tc_session_key(session);
        return true;
    case OTHER_ACCOUNT:
        change->account = tc_session_kid(cf->second);
        return true;
    case NO_ACCOUNT:
        change->account = "";
        return true;
    case OTHER_OLD_KEY:
        change->old_key = jwk_json(tc_session_key(cf->second));
        return true;
    case NO_OLD_KEY:
        change->old_key = "";
        return true;
    case EMPTY_PAYLOAD:
        change->payload = "";
        return true;
    case ARRAY_PAYLOAD:
        change->payload = "[]";
        return true;
    case WEAK_KEY:
        change->new_key = cf_key_rsa(cf, 1024);
        return true;
    case SAME_KEY:
        change->new_key = jwk_pkey(tc_session_key(session));
        return true;
    }
    return false;
}

static bool faulty(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    return begin(cf, &session, &change) && spoil(cf, session, &change) && refused(cf, session, &change);
}

static bool weak(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    TRY(begin(cf, &session, &change) && spoil(cf, session, &change) && send_change(cf, session, &change));
    if (cf->answer->status == 200)
        return cf_skip(cf, "the server takes RSA keys of 1024 bits");
    return cf_refused(cf, 400, "badPublicKey|badSignatureAlgorithm");
}

static bool no_jws(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_account(cf, &session) && cf_call(cf, session, cf_resource(cf, "keyChange"), cf->check->text));
    return cf_refused(cf, 0, "malformed") && unchanged(cf, session);
}

static bool in_use(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    const char *location;
    TRY(begin(cf, &session, &change));
    change.new_key = jwk_pkey(tc_session_key(cf->second));
    TRY(send_change(cf, session, &change));
    if (cf->answer->status < 300)
        return cf_fail(cf, "this is accepted (HTTP status %d)", cf->answer->status);
    TRY(unchanged(cf, session) && send_change(cf, session, &change) && cf_expect(cf, 409));
    TRY(cf_has_header(cf, "Location", &location));
    return strcmp(location, tc_session_kid(cf->second)) == 0 ||
           cf_fail(cf, "the Location is %.200s instead of the account that has the key", location);
}

static bool in_use_is_refused(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    TRY(begin(cf, &session, &change));
    change.new_key = jwk_pkey(tc_session_key(cf->second));
    TRY(send_change(cf, session, &change));
    TRY(cf->answer->status >= 400 || cf_fail(cf, "this is accepted (HTTP status %d)", cf->answer->status));
    return unchanged(cf, session) && unchanged(cf, cf->second);
}

/* The second account asks to put its key in the place of another account's. */
static bool stranger(struct cf *cf)
{
    struct tc_session *victim;
    struct change change;
    TRY(begin(cf, &victim, &change));
    change.account = tc_session_kid(victim);
    change.old_key = jwk_json(tc_session_key(victim));
    return send_change(cf, cf->second, &change) && cf_refused(cf, 0, NULL) && unchanged(cf, victim) &&
           unchanged(cf, cf->second);
}

/* The outer JWS signed by the new key, which no account has yet. */
static bool outer_by_new_key(struct cf *cf)
{
    struct tc_session *session;
    struct change change;
    TRY(begin(cf, &session, &change));
    const char *url = cf_resource(cf, "keyChange");
    struct jwk *new_key = cf_jwk(cf, change.new_key);
    struct cf_jws jws = { .key = new_key, .jwk = jwk_json(new_key), .nonce = "" };
    const char *inner = cf_sign(cf, session, url, inner_payload(cf, session, &change), &jws);
    struct tc_post post = { .url = url, .payload = inner, .key = new_key };
    return inner != NULL && cf_post(cf, session, &post) && cf_refused(cf, 0, NULL) && unchanged(cf, session);
}

#define CHANGE CF_KEY_CHANGE

static const struct cf_check key_change_checks[] = {
    { "7.3.5.works", "[8555-7.3.5-13]", "A good key change is answered 200, and the new key counts.", works, CHANGE },
    { "7.3.5.old-key-is-out", "[8555-7.3.5-13]", "After it, the old key counts no more.", old_key_is_out, CHANGE },
    { "7.3.5.new-key-finds", "[8555-7.3.5-13]", "After it, newAccount finds the account by its new key.",
      new_key_finds_account, CHANGE },
    { "7.3.5.old-key-finds-nothing", "[8555-7.3.5-13]", "After it, newAccount finds nothing by the old key.",
      old_key_finds_nothing, CHANGE },
    { "7.3.5.order-survives", "[8555-7.3.5-16]", "Pending orders and authorizations survive it.", order_survives,
      CHANGE },
    { "7.3.5.order-completes", "[8555-7.3.5-16] [8555-8.1-2]", "A pending order can be completed with the new key.",
      order_completes, CHANGE },
    { "7.3.5.contact-survives", "[8555-7.3.5-15]", "It should leave the contacts as they are.", contact_survives,
      CHANGE },
    { "7.3.5.inner-kid", "[8555-7.3.5-3]", "An inner JWS with kid instead of jwk is refused.", faulty, CHANGE,
      INNER_KID },
    { "7.3.5.inner-url", "[8555-7.3.5-4]", "An inner JWS with another url than the outer one is refused.", faulty,
      CHANGE, INNER_URL },
    { "7.3.5.inner-no-url", "[8555-7.3.5-2] [8555-7.3.5-4]", "An inner JWS without url is refused.", faulty, CHANGE,
      INNER_NO_URL },
    { "7.3.5.inner-nonce", "[8555-7.3.5-5]", "An inner JWS with a nonce is refused.", faulty, CHANGE, INNER_NONCE },
    { "7.3.5.inner-flipped", "[8555-7.3.5-8]", "An inner JWS with a damaged signature is refused.", faulty, CHANGE,
      INNER_FLIPPED },
    { "7.3.5.inner-other-signer", "[8555-7.3.5-8]", "An inner JWS signed by a third key is refused.", faulty, CHANGE,
      INNER_OTHER_SIGNER },
    { "7.3.5.inner-old-signer", "[8555-7.3.5-8]", "An inner JWS signed by the old key is refused.", faulty, CHANGE,
      INNER_OLD_SIGNER },
    { "7.3.5.other-account", "[8555-7.3.5-10]", "A key change with another account's URL is refused.", faulty,
      CHANGE | CF_SECOND, OTHER_ACCOUNT },
    { "7.3.5.no-account", "[8555-7.3.5-9]", "A key change without the account is refused.", faulty, CHANGE,
      NO_ACCOUNT },
    { "7.3.5.other-old-key", "[8555-7.3.5-11]", "A key change with another old key is refused.", faulty,
      CHANGE | CF_SECOND, OTHER_OLD_KEY },
    { "7.3.5.no-old-key", "[8555-7.3.5-9]", "A key change without the old key is refused.", faulty, CHANGE,
      NO_OLD_KEY },
    { "7.3.5.empty-payload", "[8555-7.3.5-9]", "An inner JWS with an empty payload is refused.", faulty, CHANGE,
      EMPTY_PAYLOAD },
    { "7.3.5.array-payload", "[8555-7.3.5-9]", "An inner JWS with an array as payload is refused.", faulty, CHANGE,
      ARRAY_PAYLOAD },
    { "7.3.5.same-key", "[8555-7.3.5-12]", "A change to the key that the account has is refused.", faulty, CHANGE,
      SAME_KEY },
    { "7.3.5.weak-key", "[8555-7.3.5-2]", "A change to an RSA key of 1024 bits is refused.", weak, CHANGE, WEAK_KEY },
    { "7.3.5.no-jws", "[8555-7.3.5-7]", "A payload that is no JWS is malformed.", no_jws, CHANGE, .text = "{}" },
    { "7.3.5.no-json", "[8555-7.3.5-7]", "A payload that is no JSON is malformed.", no_jws, CHANGE, .text = "key" },
    { "7.3.5.in-use", "[8555-7.3.5-12] [8555-11.1-3]", "A key that another account has is refused.", in_use_is_refused,
      CHANGE | CF_SECOND },
    { "7.3.5.in-use-location", "[8555-7.3.5-14]", "That should be answered 409 with the other account's URL.", in_use,
      CHANGE | CF_SECOND },
    { "7.3.5.stranger", "[8555-7.3.5-1] [8555-7.3.5-10]", "An account cannot change another account's key.", stranger,
      CHANGE | CF_SECOND },
    { "7.3.5.outer-by-new-key", "[8555-7.3.5-1]", "An outer JWS signed by the new key is refused.", outer_by_new_key,
      CHANGE },
};

CF_GROUP(key_change, "RFC 8555", "7.3.5", "key rollover");
