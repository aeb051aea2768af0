/* RFC 8555 §6.2: what a request must look like. The target is an order that may be looked at, so that nothing happens
 * where a server takes what it should refuse. */
#include "test-client/conformance/check.h"

static const char *good_body(struct cf *cf)
{
    return cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { 0 });
}

static bool send_refused(struct cf *cf, const char *body, const char *types)
{
    return body != NULL && cf_post_body(cf, cf->first, cf->pending.url, body) && cf_refused(cf, 0, types);
}

static bool signed_refused(struct cf *cf, const struct cf_jws *jws, const char *types)
{
    return send_refused(cf, cf_sign(cf, cf->first, cf->pending.url, NULL, jws), types);
}

static const char *part(struct cf *cf, const char *body, const char *member)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(body), why);
    CHECK(object != NULL);
    return cf_print(cf, "%s", json_member_text(object, member));
}

static bool raw(struct cf *cf)
{
    return send_refused(cf, cf->check->text, NULL);
}

static bool unsigned_payload(struct cf *cf)
{
    return cf_post_body(cf, cf->visitor, cf_resource(cf, "newAccount"), "{\"termsOfServiceAgreed\":true}") &&
           cf_refused(cf, 0, "malformed");
}

static bool compact(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    return send_refused(
        cf,
        cf_print(cf, "%s.%s.%s", part(cf, body, "protected"), part(cf, body, "payload"), part(cf, body, "signature")),
        NULL);
}

/* With one signature or two. */
static bool general(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    const char *one = cf_print(cf, "{\"protected\":\"%s\",\"signature\":\"%s\"}", part(cf, body, "protected"),
                               part(cf, body, "signature"));
    return send_refused(cf,
                        cf_print(cf, "{\"payload\":\"\",\"signatures\":[%s%s%s]}", one, cf->check->arg > 1 ? "," : "",
                                 cf->check->arg > 1 ? one : ""),
                        NULL);
}

/* The flattened form with something more, which the row has. */
static bool added(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    return send_refused(cf, cf_print(cf, "%.*s,%s}", (int)strlen(body) - 1, body, cf->check->text), NULL);
}

static bool unprotected_kid(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .kid = "" });
    TRY(body != NULL);
    return send_refused(
        cf, cf_print(cf, "%.*s,\"header\":{\"kid\":\"%s\"}}", (int)strlen(body) - 1, body, tc_session_kid(cf->first)),
        NULL);
}

/* The row names the member that is missing, or with an argument empty. */
static bool without(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    return send_refused(cf, cf_replace(cf, body, cf->check->text, cf->check->arg != 0 ? "" : NULL), NULL);
}

static bool header_more(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .more = cf->check->text }, NULL);
}

static bool no_alg(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .alg = "" }, NULL);
}

static bool alg_none(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .alg = "none" });
    TRY(body != NULL);
    return send_refused(cf, cf_replace(cf, body, "signature", ""), NULL);
}

/* A MAC under the public key, which everybody knows: the classic confusion of algorithms. */
static bool alg_mac(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .alg = "HS256" });
    TRY(body != NULL);
    const char *input = cf_print(cf, "%s.%s", part(cf, body, "protected"), part(cf, body, "payload"));
    const char *key = jwk_json(tc_session_key(cf->first));
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t len;
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, strlen(key), (const uint8_t *)input, strlen(input), mac,
                    sizeof mac, &len) != NULL);
    return send_refused(cf, cf_replace(cf, body, "signature", cf_b64(cf, bytes_of(mac, len))), NULL);
}

static bool alg_of_another_key(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .alg = cf->check->text }, NULL);
}

static bool alg_unknown(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .alg = "XS256" });
    return body != NULL && cf_post_body(cf, cf->first, cf->pending.url, body) &&
           cf_refused(cf, 400, "badSignatureAlgorithm");
}

static bool lists_algorithms(struct cf *cf)
{
    TRY(alg_unknown(cf));
    const json_t *list = json_object_get(cf->body, "algorithms");
    size_t i;
    json_t *item;
    bool es256 = false;
    json_array_foreach (list, i, item) {
        if (!json_is_string(item))
            return cf_fail(cf, "\"algorithms\" holds something that is no text");
        es256 = es256 || strcmp(json_string_value(item), "ES256") == 0;
    }
    return es256 || cf_fail(cf, "the problem's \"algorithms\" is missing or lacks ES256, which every server must take");
}

static bool no_key(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .kid = "" }, NULL);
}

static bool both_keys(struct cf *cf)
{
    return signed_refused(
        cf, &(struct cf_jws) { .kid = tc_session_kid(cf->first), .jwk = jwk_json(tc_session_key(cf->first)) }, NULL);
}

static bool kid_for_new_account(struct cf *cf)
{
    struct tc_post post = { .url = cf_resource(cf, "newAccount"), .payload = "{\"termsOfServiceAgreed\":true}" };
    return cf_post(cf, cf->first, &post) && cf_refused(cf, 0, NULL);
}

static bool jwk_for(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    TRY(url != NULL);
    struct tc_post post = { .url = url, .payload = cf->check->text, .embed_key = true };
    return cf_post(cf, cf->first, &post) && cf_refused(cf, 0, NULL);
}

static bool foreign_kid(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .kid = tc_session_kid(cf->second) }, NULL);
}

static bool foreign_key(struct cf *cf)
{
    return signed_refused(cf, &(struct cf_jws) { .key = tc_session_key(cf->second) }, NULL);
}

static bool kid_unknown(struct cf *cf)
{
    const char *kid = cf_print(cf, "%s%s", tc_session_kid(cf->first), cf->check->text);
    return signed_refused(cf, &(struct cf_jws) { .kid = kid }, NULL);
}

static bool kid_elsewhere(struct cf *cf)
{
    const char *path = strchr(tc_session_kid(cf->first) + strlen("https://"), '/');
    const char *kid = cf_print(cf, "%s%s", cf->check->text, path != NULL ? path : "/");
    return signed_refused(cf, &(struct cf_jws) { .kid = kid }, NULL);
}

static bool flipped_signature(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    struct bytes signature = cf_unb64(cf, part(cf, body, "signature"));
    uint8_t *copy = arena_alloc(cf->arena, signature.len);
    CHECK(copy != NULL && signature.len > 0);
    memcpy(copy, signature.data, signature.len);
    copy[signature.len / 2] ^= 1;
    return send_refused(cf, cf_replace(cf, body, "signature", cf_b64(cf, bytes_of(copy, signature.len))), NULL);
}

static bool longer_signature(struct cf *cf)
{
    const char *body = good_body(cf);
    TRY(body != NULL);
    struct bytes signature = cf_unb64(cf, part(cf, body, "signature"));
    uint8_t *copy = arena_alloc(cf->arena, signature.len + 3);
    CHECK(copy != NULL);
    memcpy(copy, signature.data, signature.len);
    return send_refused(cf, cf_replace(cf, body, "signature", cf_b64(cf, bytes_of(copy, signature.len + 3))), NULL);
}

static bool other_payload(struct cf *cf)
{
    const char *url = cf_resource(cf, "newOrder");
    const char *asked = cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, NULL);
    const char *other = cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, NULL);
    const char *body = cf_sign(cf, cf->first, url, asked, &(struct cf_jws) { 0 });
    TRY(body != NULL);
    return cf_post_body(cf, cf->first, url, cf_replace(cf, body, "payload", cf_b64(cf, bytes_text(other)))) &&
           cf_refused(cf, 0, NULL);
}

static bool embedded_key_not_the_signer(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    const char *url = cf_resource(cf, "newAccount");
    const char *body = cf_sign(cf, session, url, "{\"termsOfServiceAgreed\":true}",
                               &(struct cf_jws) { .jwk = jwk_json(cf_jwk(cf, cf_key(cf, TC_KEY_P256))) });
    return body != NULL && cf_post_body(cf, session, url, body) && cf_refused(cf, 0, NULL);
}

static bool media_type(struct cf *cf)
{
    struct tc_post post = { .url = cf->pending.url, .content_type = cf->check->text };
    return cf_post(cf, cf->first, &post) && cf_refused(cf, 415, NULL);
}

static bool padded(struct cf *cf)
{
    const char *url = cf_resource(cf, "newOrder");
    /* lengths that are no multiple of three, so that padding is what a padding encoder would write */
    const char *body = cf_sign(cf, cf->first, url, "{\"a\":0}", &(struct cf_jws) { 0 });
    TRY(body != NULL);
    const char *text = part(cf, body, cf->check->text);
    const char *padding = strlen(text) % 4 == 2 ? "==" : "=";
    body = cf_replace(cf, body, cf->check->text, cf_print(cf, "%s%s", text, padding));
    return cf_post_body(cf, cf->first, url, body) && cf_refused(cf, 400, NULL);
}

static const struct cf_check jws_checks[] = {
    { "6.1.padded-payload", "[8555-6.1-5]", "A payload with base64 padding is refused.", padded, CF_PENDING,
      .text = "payload" },
    { "6.1.padded-signature", "[8555-6.1-5]", "A signature with base64 padding is refused.", padded, CF_PENDING,
      .text = "signature" },
    { "6.2.not-json", "[8555-6.2-1]", "A body that is no JSON is refused.", raw, CF_PENDING, .text = "hello" },
    { "6.2.empty-body", "[8555-6.2-1]", "An empty body is refused.", raw, CF_PENDING, .text = "" },
    { "6.2.empty-object", "[8555-6.2-1]", "An empty JSON object is refused.", raw, CF_PENDING, .text = "{}" },
    { "6.2.array", "[8555-6.2-1]", "A JSON array is refused.", raw, CF_PENDING, .text = "[]" },
    { "6.2.unsigned-payload", "[8555-6.2-1]", "A payload that stands in the body unsigned is malformed.",
      unsigned_payload },
    { "6.2.compact", "[8555-6.2-3]", "The compact serialization is refused.", compact, CF_PENDING },
    { "6.2.general", "[8555-6.2-3]", "The general JSON serialization is refused.", general, CF_PENDING, .arg = 1 },
    { "6.2.two-signatures", "[8555-6.2-4]", "A JWS with two signatures is refused.", general, CF_PENDING, .arg = 2 },
    { "6.2.both-serializations", "[8555-6.2-4]", "A flattened JWS with \"signatures\" besides is refused.", added,
      CF_PENDING, .text = "\"signatures\":[{\"protected\":\"e30\",\"signature\":\"AA\"}]" },
    { "6.2.unprotected-header", "[8555-6.2-6]", "A JWS with an unprotected header is refused.", added, CF_PENDING,
      .text = "\"header\":{\"typ\":\"JOSE\"}" },
    { "6.2.unprotected-kid", "[8555-6.2-6] [8555-6.2-13]", "A kid in the unprotected header does not count.",
      unprotected_kid, CF_PENDING },
    { "6.2.no-payload", "[8555-6.2-7] [8555-6.3-2]", "A JWS without its payload is refused.", without, CF_PENDING,
      .text = "payload" },
    { "6.2.no-protected", "[8555-6.2-1]", "A JWS without a protected header is refused.", without, CF_PENDING,
      .text = "protected" },
    { "6.2.no-signature", "[8555-6.2-2]", "A JWS without its signature is refused.", without, CF_PENDING,
      .text = "signature" },
    { "6.2.empty-signature", "[8555-6.2-2]", "A JWS with an empty signature is refused.", without, CF_PENDING, 1,
      "signature" },
    { "6.2.flipped-signature", "[8555-6.2-2]", "A signature with one bit flipped is refused.", flipped_signature,
      CF_PENDING },
    { "6.2.longer-signature", "[8555-6.2-2]", "A signature with bytes behind it is refused.", longer_signature,
      CF_PENDING },
    { "6.2.other-payload", "[8555-6.2-2]", "A payload that was changed after signing is refused.", other_payload,
      CF_FIRST },
    { "6.2.b64-false", "[8555-6.2-5]", "The unencoded payload option is refused.", header_more, CF_PENDING,
      .text = ",\"b64\":false,\"crit\":[\"b64\"]" },
    { "6.2.unknown-crit", "", "An extension that is critical and unknown is refused (RFC 7515 §4.1.11).", header_more,
      CF_PENDING, .text = ",\"crit\":[\"exp\"],\"exp\":1" },
    { "6.2.no-alg", "[8555-6.2-8]", "A protected header without alg is refused.", no_alg, CF_PENDING },
    { "6.2.alg-none", "[8555-6.2-9]", "The algorithm \"none\" is refused.", alg_none, CF_PENDING },
    { "6.2.alg-mac", "[8555-6.2-10]", "A MAC made with the public key is refused.", alg_mac, CF_PENDING },
    { "6.2.alg-rs256", "[8555-6.2-2]", "RS256 named beside the signature of an EC key is refused.", alg_of_another_key,
      CF_PENDING, .text = "RS256" },
    { "6.2.alg-es384", "[8555-6.2-2]", "ES384 named beside the signature of a P-256 key is refused.",
      alg_of_another_key, CF_PENDING, .text = "ES384" },
    { "6.2.alg-unknown", "[8555-6.2-22]", "An unknown algorithm is answered badSignatureAlgorithm.", alg_unknown,
      CF_PENDING },
    { "6.2.lists-algorithms", "[8555-6.2-23]", "That problem lists the algorithms, ES256 among them.", lists_algorithms,
      CF_PENDING },
    { "6.2.no-key", "[8555-6.2-13]", "A header with neither jwk nor kid is refused.", no_key, CF_PENDING },
    { "6.2.both-keys", "[8555-6.2-16]", "A header with jwk and kid is refused.", both_keys, CF_PENDING },
    { "6.2.kid-for-new-account", "[8555-6.2-17]", "newAccount refuses a kid.", kid_for_new_account, CF_FIRST },
    { "6.2.jwk-for-account", "[8555-6.2-20]", "An account refuses a jwk.", jwk_for, CF_FIRST, CF_ACCOUNT_URL },
    { "6.2.jwk-for-new-order", "[8555-6.2-20]", "newOrder refuses a jwk.", jwk_for, CF_FIRST, CF_NEW_ORDER_URL,
      "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"jwk.example.test\"}]}" },
    { "6.2.jwk-for-order", "[8555-6.2-20]", "An order refuses a jwk.", jwk_for, CF_PENDING, CF_ORDER_URL },
    { "6.2.jwk-for-authorization", "[8555-6.2-20]", "An authorization refuses a jwk.", jwk_for, CF_PENDING,
      CF_AUTHORIZATION_URL },
    { "6.2.jwk-for-challenge", "[8555-6.2-20]", "A challenge refuses a jwk.", jwk_for, CF_PENDING, CF_CHALLENGE_URL },
    { "6.2.jwk-for-finalize", "[8555-6.2-20]", "finalize refuses a jwk.", jwk_for, CF_PENDING, CF_FINALIZE_URL,
      "{\"csr\":\"MAA\"}" },
    { "6.2.jwk-for-certificate", "[8555-6.2-20]", "A certificate refuses a jwk.", jwk_for, CF_ISSUED,
      CF_CERTIFICATE_URL },
    { "6.2.jwk-for-key-change", "[8555-6.2-20] [8555-7.3.5-1]", "keyChange refuses a jwk in the outer JWS.", jwk_for,
      CF_FIRST | CF_KEY_CHANGE, CF_KEY_CHANGE_URL, "{}" },
    { "6.2.foreign-kid", "[8555-6.2-2] [8555-6.3-3]", "Another account's kid with one's own key is refused.",
      foreign_kid, CF_PENDING | CF_SECOND },
    { "6.2.foreign-key", "[8555-6.2-2] [8555-6.3-3]", "An account's kid with another account's key is refused.",
      foreign_key, CF_PENDING | CF_SECOND },
    { "6.2.kid-unknown", "[8555-6.2-21]", "A kid that is no account's URL is refused.", kid_unknown, CF_PENDING,
      .text = "0" },
    { "6.2.kid-with-slash", "[8555-6.2-21]", "A kid with a slash behind the account's URL is refused.", kid_unknown,
      CF_PENDING, .text = "/" },
    { "6.2.kid-with-query", "[8555-6.2-21]", "A kid with a query behind the account's URL is refused.", kid_unknown,
      CF_PENDING, .text = "?a=b" },
    { "6.2.kid-elsewhere", "[8555-6.2-21]", "A kid on another host is refused.", kid_elsewhere, CF_PENDING,
      .text = "https://elsewhere.example" },
    { "6.2.kid-relative", "[8555-6.2-21]", "A kid that is only a path is refused.", kid_elsewhere, CF_PENDING,
      .text = "" },
    { "6.2.embedded-key-not-the-signer", "[8555-6.2-19]", "newAccount refuses a signature by another key than its jwk.",
      embedded_key_not_the_signer },
    { "6.2.media-type-json", "[8555-6.2-26]", "A body of type application/json is answered 415.", media_type,
      CF_PENDING, .text = "application/json" },
    { "6.2.media-type-form", "[8555-6.2-26]", "A body of a form's type is answered 415.", media_type, CF_PENDING,
      .text = "application/x-www-form-urlencoded" },
    { "6.2.media-type-longer", "[8555-6.2-26]", "A type that only begins like application/jose+json is answered 415.",
      media_type, CF_PENDING, .text = "application/jose+jsonx" },
};

CF_GROUP(jws, "RFC 8555", "6.1-6.2", "requests and their signatures");
