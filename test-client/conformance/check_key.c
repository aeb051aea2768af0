/* Keys of accounts (RFC 8555 §6.2). */
#include "test-client/conformance/check.h"

static bool registers(struct cf *cf, EVP_PKEY *key)
{
    struct tc_session *session;
    return cf_open(cf, key, &session) && cf_register(cf, session, "");
}

static bool p256(struct cf *cf)
{
    return registers(cf, cf_key(cf, TC_KEY_P256)) && cf_expect(cf, 201);
}

static void drop_key(void *key)
{
    EVP_PKEY_free(key);
}

static EVP_PKEY *keep(struct cf *cf, EVP_PKEY *key)
{
    CHECK(key != NULL);
    cf_keep(cf, key, drop_key);
    return key;
}

static bool ed25519(struct cf *cf)
{
    return registers(cf, keep(cf, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"))) && cf_expect(cf, 201);
}

/* What a server need not have: refused as it should be, it is not offered. */
static bool optional(struct cf *cf, EVP_PKEY *key)
{
    TRY(registers(cf, key));
    if (cf->answer->status == 201)
        return true;
    return cf_refused(cf, 400, "badSignatureAlgorithm|badPublicKey") && cf_skip(cf, "not a key that the server takes");
}

static bool curve(struct cf *cf)
{
    return optional(cf, keep(cf, EVP_EC_gen(cf->check->text)));
}

static bool rsa(struct cf *cf)
{
    return optional(cf, cf_key_rsa(cf, (unsigned)cf->check->arg));
}

/* Which keys are too weak is the server's to say. */
static bool weak_rsa(struct cf *cf)
{
    TRY(registers(cf, cf_key_rsa(cf, (unsigned)cf->check->arg)));
    if (cf->answer->status == 201)
        return cf_skip(cf, "the server takes RSA keys of %d bits", cf->check->arg);
    return cf_refused(cf, 400, "badPublicKey");
}

static bool tells_why(struct cf *cf)
{
    const char *detail;
    return weak_rsa(cf) && cf_has_text(cf, "detail", &detail) &&
           (*detail != '\0' || cf_fail(cf, "the problem's detail is empty"));
}

/* newAccount with a made-up jwk; the signature cannot be right, so the key must be looked at before it. */
static bool jwk_refused(struct cf *cf, const char *alg, const char *jwk, const char *types)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    const char *url = cf_resource(cf, "newAccount");
    const char *body =
        cf_sign(cf, session, url, "{\"termsOfServiceAgreed\":true}", &(struct cf_jws) { .alg = alg, .jwk = jwk });
    return body != NULL && cf_post_body(cf, session, url, body) && cf_refused(cf, 400, types);
}

#define COORDINATE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"

static bool off_curve(struct cf *cf)
{
    return jwk_refused(cf, "ES256",
                       "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" COORDINATE "\",\"y\":\"" COORDINATE "\"}",
                       "badPublicKey");
}

static bool short_coordinate(struct cf *cf)
{
    return jwk_refused(cf, "ES256", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}",
                       "badPublicKey|malformed");
}

static bool unknown_curve(struct cf *cf)
{
    return jwk_refused(cf, "ES256",
                       "{\"kty\":\"EC\",\"crv\":\"P-111\",\"x\":\"" COORDINATE "\",\"y\":\"" COORDINATE "\"}",
                       "badPublicKey");
}

static bool symmetric(struct cf *cf)
{
    return jwk_refused(cf, "HS256", "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", NULL);
}

static bool jwk_no_object(struct cf *cf)
{
    return jwk_refused(cf, "ES256", "\"key\"", NULL);
}

static bool alg_of_another_type(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session));
    return jwk_refused(cf, "RS256", jwk_json(tc_session_key(session)), NULL);
}

static const struct cf_check key_checks[] = {
    { "6.2.es256", "[8555-6.2-14]", "An account with a P-256 key can be made.", p256 },
    { "6.2.ed25519", "[8555-6.2-15]", "An account with an Ed25519 key should be possible.", ed25519 },
    { "6.2.es384", "", "An account with a P-384 key can be made.", curve, .text = "P-384" },
    { "6.2.es512", "", "An account with a P-521 key can be made.", curve, .text = "P-521" },
    { "6.2.rs256", "", "An account with an RSA key of 2048 bits can be made.", rsa, .arg = 2048 },
    { "6.2.rsa-1024", "[8555-6.2-24]", "An RSA key of 1024 bits is answered badPublicKey.", weak_rsa, .arg = 1024 },
    { "6.2.rsa-tells-why", "[8555-6.2-25]", "That problem should tell why the key was refused.", tells_why,
      .arg = 1024 },
    { "6.2.off-curve", "[8555-6.2-24]", "A point that is not on its curve is answered badPublicKey.", off_curve },
    { "6.2.short-coordinate", "[8555-6.2-24]", "Coordinates that are too short are refused.", short_coordinate },
    { "6.2.unknown-curve", "[8555-6.2-24]", "An unknown curve is answered badPublicKey.", unknown_curve },
    { "6.2.symmetric-jwk", "[8555-6.2-10]", "A symmetric key as jwk is refused.", symmetric },
    { "6.2.jwk-no-object", "[8555-6.2-13]", "A jwk that is no object is refused.", jwk_no_object },
    { "6.2.alg-of-another-type", "[8555-6.2-19]", "RS256 with an EC key as jwk is refused.", alg_of_another_type },
};

CF_GROUP(key, "RFC 8555", "6.2", "keys of accounts");
