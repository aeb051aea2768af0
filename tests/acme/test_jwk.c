#include "acme/jwk.h"
#include "base/encode.h"
#include "tests/unit.h"

#include <pthread.h>

/* RFC 7638 §3.1 */
#define RSA_N                                                                                                          \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj" \
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ" \
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK" \
    "nqDKgw"
#define RSA_KEY "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"
/* RFC 7515 A.3 */
#define EC_X   "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y   "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
/* RFC 8037 A.2 */
#define OKP_X   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\"}"

static struct jwk *parsed(const char *json)
{
    struct jwk *key = NULL;
    struct acme_problem problem;
    if (!jwk_from_json(json, &key, &problem))
        fail_msg("%s: %s", json, problem.detail);
    return key;
}

/* [8555-8.1-2] */
static void thumbprints_are_those_of_the_rfcs(void **state)
{
    (void)state;
    AUTO(jwk) rsa = parsed(RSA_KEY);
    assert_string_equal(jwk_thumbprint(rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_int_equal(jwk_algorithm(rsa), JWS_RS256);
    AUTO(jwk) okp = parsed(OKP_KEY);
    assert_string_equal(jwk_thumbprint(okp), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); /* RFC 8037 A.3 */
    assert_int_equal(jwk_algorithm(okp), JWS_EDDSA);
}

static void canonical_json_has_only_the_required_members_in_order(void **state)
{
    (void)state;
    AUTO(jwk) rsa = parsed(RSA_KEY);
    assert_string_equal(jwk_json(rsa), "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}");
    AUTO(jwk) ec = parsed("{\"use\":\"sig\",\"y\":\"" EC_Y "\",\"x\":\"" EC_X "\",\"kty\":\"EC\",\"crv\":\"P-256\"}");
    assert_string_equal(jwk_json(ec), "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}");
    AUTO(jwk) okp = parsed(OKP_KEY);
    assert_string_equal(jwk_json(okp), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" OKP_X "\"}");
}

static EVP_PKEY *make_key(enum jws_algorithm algorithm)
{
    switch (algorithm) {
    case JWS_ES256:
        return EVP_EC_gen("P-256");
    case JWS_ES384:
        return EVP_EC_gen("P-384");
    case JWS_ES512:
        return EVP_EC_gen("P-521");
    case JWS_RS256:
        return EVP_RSA_gen(2048);
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
}

static void keys_of_our_own_survive_the_round_trip(void **state)
{
    (void)state;
    for (unsigned algorithm = 0; algorithm < JWS_ALGORITHMS; algorithm++) {
        AUTO_TYPE(EVP_PKEY) pkey = make_key(algorithm);
        AUTO(jwk) ours = jwk_from_pkey(pkey);
        assert_non_null(ours);
        assert_int_equal(jwk_algorithm(ours), algorithm);
        AUTO(jwk) theirs = parsed(jwk_json(ours));
        assert_string_equal(jwk_json(theirs), jwk_json(ours));
        assert_string_equal(jwk_thumbprint(theirs), jwk_thumbprint(ours));
        assert_int_equal(EVP_PKEY_eq(jwk_pkey(theirs), pkey), 1);
    }
}

static void coordinates_keep_their_leading_zeros(void **state)
{
    (void)state;
    for (int tries = 0; tries < 5000; tries++) {
        AUTO_TYPE(EVP_PKEY) pkey = EVP_EC_gen("P-256");
        AUTO(jwk) key = jwk_from_pkey(pkey);
        const char *x = strstr(jwk_json(key), "\"x\":\"");
        assert_non_null(x);
        assert_int_equal(strcspn(x + 5, "\""), 43);
        if (strncmp(x + 5, "AA", 2) == 0 || strncmp(x + 5, "AB", 2) == 0)
            break; /* x begins with a zero byte, or nearly */
    }
}

static void keys_of_other_types_are_not_ours(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY) ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    assert_null(jwk_from_pkey(ed448));
    AUTO_TYPE(EVP_PKEY) koblitz = EVP_EC_gen("secp256k1");
    assert_null(jwk_from_pkey(koblitz));
}

/* The last column is a part of the detail. */
static const struct {
    const char *json, *why;
} bad[] = {
    { "[]", "JSON object" },
    { "{}", "\"kty\" must be" },
    { "{\"kty\":1}", "\"kty\" must be" },
    { "{\"kty\":\"ec\"}", "\"kty\" must be" },
    { "{\"kty\":\"oct\"}", "\"kty\" must be" },
    { "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "belongs to the private key" },
    { "{\"kty\":\"EC\"}", "\"crv\" must be" },
    { "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "\"crv\" must be" },
    { "{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\"}", "\"crv\" must be" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" OKP_X "\"}", "\"crv\" must be" },
    { "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" OKP_X "\"}", "\"crv\" must be" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"y\":\"" EC_Y "\"}", "\"x\" is missing" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "\"y\" is missing" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":\"" EC_Y "\"}", "\"x\" is missing or not a string" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"" EC_Y "\"}", "not empty" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}", "without padding" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "A\",\"y\":\"" EC_Y "\"}",
      "33 bytes long; P-256 needs exactly 32" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"" EC_Y "\"}", "1 bytes long" },
    { "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "P-384 needs exactly 48" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "not a point on the curve" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
      "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
      "not a point on the curve" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________________________8\",\"y\":\"" EC_Y "\"}",
      "not a point on the curve" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\",\"d\":\"AAAA\"}",
      "belongs to the private" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"}", "Ed25519 needs exactly 32" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\",\"d\":\"" OKP_X "\"}",
      "\"d\" belongs to the private key" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", "\"e\" is missing" },
    { "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "\"n\" is missing" },
    { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "this one has 17" },
    { "{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\"}", "must not begin with zero" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AAEAAQ\"}", "must not begin with zero" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", "exponent" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Aw\"}", "exponent" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAC\"}", "exponent" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAAAAAAAAAB\"}", "exponent" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"p\":\"AQAB\"}", "\"p\" belongs to the private key" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"PS256\"}", "\"alg\" must be RS256" },
    { "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":256}", "\"alg\" must be RS256" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\",\"alg\":\"ES384\"}",
      "\"alg\" must be ES256" },
};

/* [8555-6.2-24] [8555-6.2-25] [8555-8.1-1] */
static void bad_keys_are_refused_with_their_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct jwk *key = NULL;
        struct acme_problem problem;
        if (jwk_from_json(bad[i].json, &key, &problem))
            fail_msg("%s was accepted", bad[i].json);
        assert_null(key);
        assert_int_equal(problem.type, PROBLEM_BAD_PUBLIC_KEY);
        if (strstr(problem.detail, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].json, problem.detail);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    AUTO_BUF(part, 1000);
    for (size_t len = 0; len < sizeof EC_KEY - 1; len++) {
        buf_clear(&part);
        buf_append(&part, EC_KEY, len);
        struct jwk *key;
        struct acme_problem problem;
        assert_false(jwk_from_json(buf_str(&part), &key, &problem));
    }
}

/* A modulus of `bits` bits: all ones but for the last byte. No one can sign with it, but it has the right shape. */
static bool rsa_accepted(size_t bits, uint8_t last, struct acme_problem *problem)
{
    uint8_t n[2048];
    size_t len = (bits + 7) / 8;
    memset(n, 0xff, len);
    n[0] = (uint8_t)(0xff >> (len * 8 - bits));
    n[len - 1] = last;
    AUTO_BUF(json, 8192);
    buf_text(&json, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
    buf_b64url(&json, bytes_of(n, len));
    buf_text(&json, "\"}");
    struct jwk *key = NULL;
    bool accepted = jwk_from_json(buf_str(&json), &key, problem);
    jwk_drop(key);
    return accepted;
}

/* [8555-6.2-24] */
static void rsa_sizes_are_bounded_exactly(void **state)
{
    (void)state;
    struct acme_problem problem;
    assert_false(rsa_accepted(2047, 0xff, &problem));
    assert_non_null(strstr(problem.detail, "this one has 2047"));
    assert_true(rsa_accepted(2048, 0xff, &problem));
    assert_true(rsa_accepted(8192, 0xff, &problem));
    assert_false(rsa_accepted(8193, 0xff, &problem));
    assert_non_null(strstr(problem.detail, "this one has 8193"));
    assert_false(rsa_accepted(16000, 0xff, &problem));
    assert_false(rsa_accepted(2048, 0xfe, &problem));
    assert_non_null(strstr(problem.detail, "is even"));
}

static void a_reference_keeps_the_key(void **state)
{
    (void)state;
    struct jwk *key = parsed(EC_KEY);
    struct jwk *again = jwk_ref(key);
    assert_ptr_equal(again, key);
    jwk_drop(key);
    assert_non_null(strstr(jwk_json(again), EC_X));
    jwk_drop(again);
    jwk_drop(NULL);
}

static void *use_key(void *arg)
{
    struct jwk *key = arg;
    for (int i = 0; i < 1000; i++) {
        struct jwk *mine = jwk_ref(key);
        assert_int_equal(EVP_PKEY_get_bits(jwk_pkey(mine)), 256);
        jwk_drop(mine);
    }
    jwk_drop(key);
    return NULL;
}

static void the_last_of_several_threads_frees_the_key(void **state)
{
    (void)state;
    struct jwk *key = parsed(EC_KEY);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_key, jwk_ref(key)), 0);
    jwk_drop(key);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
}

static void algorithm_names_end_with_null(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JWS_ALGORITHMS; i++)
        assert_string_equal(jws_algorithm_names[i], jws_algorithm_text(i));
    assert_null(jws_algorithm_names[JWS_ALGORITHMS]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_are_those_of_the_rfcs),
        cmocka_unit_test(canonical_json_has_only_the_required_members_in_order),
        cmocka_unit_test(keys_of_our_own_survive_the_round_trip),
        cmocka_unit_test(coordinates_keep_their_leading_zeros),
        cmocka_unit_test(keys_of_other_types_are_not_ours),
        cmocka_unit_test(bad_keys_are_refused_with_their_reason),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(rsa_sizes_are_bounded_exactly),
        cmocka_unit_test(a_reference_keeps_the_key),
        cmocka_unit_test(the_last_of_several_threads_frees_the_key),
        cmocka_unit_test(algorithm_names_end_with_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
