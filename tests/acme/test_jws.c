#include "acme/jws.h"
#include "base/encode.h"
#include "tests/unit.h"

enum { ARENA_BYTES = 1 << 16 };

#define JWK                                                                                                            \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                         \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define GOOD_HEADER                                                                                                    \
    "{\"alg\":\"ES256\",\"kid\":\"https://ca.test/account/1\",\"nonce\":\"bm9uY2U\",\"url\":\"https://ca.test/x\"}"
#define HEADER(members) "{\"nonce\":\"bm9uY2U\",\"url\":\"https://ca.test/x\"," members "}"

/* A body of the three members, of texts that are already base64url where they should be. */
static const char *body_of(struct arena *arena, const char *protected_text, const char *payload, const char *signature)
{
    return arena_printf(arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", protected_text,
                        payload, signature);
}

static const char *body_with(struct arena *arena, const char *header)
{
    return body_of(arena, arena_b64url(arena, bytes_text(header)), "e30", "c2ln");
}

static void expect_body(const char *body, enum acme_problem_type type, const char *why)
{
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct jws jws;
    struct acme_problem problem;
    if (jws_parse(arena, bytes_text(body), &jws, &problem))
        fail_msg("%s was accepted", body);
    if (problem.type != type || strstr(problem.detail, why) == NULL)
        fail_msg("%s: %s: %s", body, problem_type_text(problem.type), problem.detail);
}

static void expect_header(const char *header, enum acme_problem_type type, const char *why)
{
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    expect_body(body_with(arena, header), type, why);
}

static void a_kid_request_is_taken_apart(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct jws jws;
    struct acme_problem problem;
    assert_true(jws_parse(arena, bytes_text(body_with(arena, GOOD_HEADER)), &jws, &problem));
    assert_int_equal(jws.algorithm, JWS_ES256);
    assert_null(jws.jwk);
    assert_false(jws.hmac);
    assert_string_equal(jws.kid, "https://ca.test/account/1");
    assert_string_equal(jws.url, "https://ca.test/x");
    assert_string_equal(jws.nonce, "bm9uY2U");
    assert_true(bytes_equal_text(jws.payload, "{}"));
    assert_true(bytes_equal_text(jws.signature, "sig"));
    const char *input = arena_printf(arena, "%s.e30", arena_b64url(arena, bytes_text(GOOD_HEADER)));
    assert_true(bytes_equal_text(jws.signing_input, input));
    jws_clear(&jws);
}

static void a_jwk_request_carries_its_key(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct jws jws;
    struct acme_problem problem;
    const char *body = body_with(arena, HEADER("\"alg\":\"ES256\",\"jwk\":" JWK));
    assert_true(jws_parse(arena, bytes_text(body), &jws, &problem));
    assert_null(jws.kid);
    assert_non_null(jws.jwk);
    jws_clear(&jws);
    assert_null(jws.jwk);
}

static void nonce_and_payload_may_be_absent(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct jws jws;
    struct acme_problem problem;
    const char *header = arena_b64url(arena, bytes_text("{\"alg\":\"RS256\",\"kid\":\"k\",\"url\":\"u\"}"));
    assert_true(jws_parse(arena, bytes_text(body_of(arena, header, "", "c2ln")), &jws, &problem));
    assert_null(jws.nonce);
    assert_int_equal(jws.payload.len, 0);
}

static void unknown_members_are_ignored(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct jws jws;
    struct acme_problem problem;
    const char *header = arena_b64url(arena, bytes_text(HEADER("\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"x\"")));
    const char *body = arena_printf(
        arena, "{\"extra\":1,\"protected\":\"%s\",\"payload\":\"\",\"signature\":\"c2ln\",\"resource\":\"new-reg\"}",
        header);
    assert_true(jws_parse(arena, bytes_text(body), &jws, &problem));
}

/* [8555-6.1-5] [8555-6.2-1] [8555-6.2-3] [8555-6.2-4] [8555-6.2-6] [8555-6.2-7] [8555-6.3-2]
 * [8555-6.4.1-1] [8555-6.5.2-1] */
static void bad_bodies_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *body, *why;
    } cases[] = {
        { "", "not a JSON object" },
        { "[]", "not a JSON object" },
        { "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "not a JSON object" },
        { "{}", "\"protected\" is missing" },
        { "{\"protected\":1,\"payload\":\"\",\"signature\":\"\"}", "\"protected\" is missing or not a string" },
        { "{\"protected\":\"e30\",\"signature\":\"\"}", "\"payload\" is missing" },
        { "{\"protected\":\"e30\",\"payload\":{},\"signature\":\"\"}", "\"payload\" is missing or not a string" },
        { "{\"protected\":\"e30\",\"payload\":\"\"}", "\"signature\" is missing" },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\",\"header\":{}}", "\"header\" is not allowed" },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\",\"header\":null}", "\"header\" is not allowed" },
        { "{\"payload\":\"\",\"signatures\":[]}", "\"signatures\" is not allowed" },
        { "{\"protected\":\"e30=\",\"payload\":\"\",\"signature\":\"\"}", "\"protected\" is padded" },
        { "{\"protected\":\"e30\",\"payload\":\"e30=\",\"signature\":\"\"}", "\"payload\" is padded" },
        { "{\"protected\":\"e30\",\"payload\":\"+/+/\",\"signature\":\"\"}", "\"payload\" is not base64url" },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"A\"}", "\"signature\" is not base64url" },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"c2lnx\"}", "\"signature\" is not base64url" },
        { "{\"protected\":\"\",\"payload\":\"\",\"signature\":\"\"}", "protected header is not a JSON object" },
        { "{\"protected\":\"W10\",\"payload\":\"\",\"signature\":\"\"}", "protected header is not a JSON object" },
        { "{\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\"}", "no \"alg\"" },
        { "{\"protected\":\"e30\",\"protected\":\"e30\",\"payload\":\"\",\"signature\":\"\"}", "duplicate" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_body(cases[i].body, PROBLEM_MALFORMED, cases[i].why);
}

/* [8555-6.2-5] [8555-6.2-8] [8555-6.2-12] [8555-6.2-13] [8555-6.2-16] [8555-6.4.1-2] [8555-6.5.2-2] */
static void bad_headers_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *header, *why;
    } cases[] = {
        { HEADER("\"kid\":\"k\""), "no \"alg\"" },
        { HEADER("\"kid\":\"k\",\"alg\":7"), "\"alg\" must be a string" },
        { HEADER("\"kid\":\"k\",\"alg\":\"\""), "\"alg\" must be a string that is not empty" },
        { HEADER("\"kid\":\"k\",\"alg\":\"ES256\",\"crit\":[\"exp\"]"), "\"crit\" is not supported" },
        { HEADER("\"kid\":\"k\",\"alg\":\"ES256\",\"crit\":[]"), "\"crit\" is not supported" },
        { HEADER("\"kid\":\"k\",\"alg\":\"ES256\",\"b64\":false"), "\"b64\" is not supported" }, /* [8555-6.2-5] */
        { HEADER("\"alg\":\"ES256\""), "neither \"jwk\" nor \"kid\"" },
        { HEADER("\"kid\":\"k\",\"alg\":\"ES256\",\"jwk\":" JWK), "both \"jwk\" and \"kid\"" },
        { HEADER("\"kid\":7,\"alg\":\"ES256\""), "\"kid\" must be a string" },
        { HEADER("\"kid\":\"\",\"alg\":\"ES256\""), "\"kid\" must be a string that is not empty" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":\"bm9uY2U\"}", "no \"url\"" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":\"bm9uY2U\",\"url\":1}", "\"url\" must be a string" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":\"n+n/\",\"url\":\"u\"}", "\"nonce\" is not base64url" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":\"bm9uY2U=\",\"url\":\"u\"}", "\"nonce\" is not base64url" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":\"\",\"url\":\"u\"}", "\"nonce\" must be a string" },
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":null,\"url\":\"u\"}", "\"nonce\" must be a string" },
        { "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"k\",\"url\":\"u\"}", "duplicate" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_header(cases[i].header, PROBLEM_MALFORMED, cases[i].why);
}

/* [8555-6.2-9] [8555-6.2-10] [8555-6.2-22] [8555-6.2-23] */
static void foreign_algorithms_are_answered_with_ours(void **state)
{
    (void)state;
    static const char *const foreign[] = { "none", "HS256", "HS512", "PS256", "RS384", "RS1", "es256", "ES256K" };
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
        AUTO(arena) arena = arena_create(ARENA_BYTES);
        const char *header = arena_printf(arena, HEADER("\"kid\":\"k\",\"alg\":\"%s\""), foreign[i]);
        struct jws jws;
        struct acme_problem problem;
        assert_false(jws_parse(arena, bytes_text(body_with(arena, header)), &jws, &problem));
        assert_int_equal(problem.type, PROBLEM_BAD_SIGNATURE_ALGORITHM);
        assert_ptr_equal(problem.algorithms, jws_algorithm_names);
        assert_non_null(strstr(problem.detail, foreign[i]));
        assert_non_null(strstr(problem.detail, "ES256, ES384, ES512, RS256, EdDSA"));
    }
}

/* RFC 8555 §6.2 has this very example: [8555-6.2-24] */
static void an_algorithm_must_fit_the_jwk(void **state)
{
    (void)state;
    expect_header(HEADER("\"alg\":\"RS256\",\"jwk\":" JWK), PROBLEM_BAD_PUBLIC_KEY, "signs with ES256");
    expect_header(HEADER("\"alg\":\"ES384\",\"jwk\":" JWK), PROBLEM_BAD_PUBLIC_KEY, "signs with ES256");
}

/* [8555-6.2-24] [8555-6.2-25] */
static void a_bad_jwk_is_a_bad_public_key(void **state)
{
    (void)state;
    expect_header(HEADER("\"alg\":\"ES256\",\"jwk\":\"text\""), PROBLEM_BAD_PUBLIC_KEY, "JSON object");
    expect_header(HEADER("\"alg\":\"ES256\",\"jwk\":{\"kty\":\"DSA\"}"), PROBLEM_BAD_PUBLIC_KEY, "\"kty\"");
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    const char *whole = body_with(arena, HEADER("\"alg\":\"ES256\",\"jwk\":" JWK));
    for (size_t len = 0; len < strlen(whole); len++) {
        AUTO(arena) scratch = arena_create(ARENA_BYTES);
        struct jws jws;
        struct acme_problem problem;
        assert_false(jws_parse(scratch, bytes_of(whole, len), &jws, &problem));
    }
}

static void every_shortened_header_is_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 20);
    static const char whole[] = HEADER("\"alg\":\"ES256\",\"jwk\":" JWK);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        const char *header = arena_text_of(arena, bytes_of(whole, len));
        expect_header(header, PROBLEM_MALFORMED, "JWS: ");
    }
}

static void too_little_memory_is_never_success(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    const char *body = body_with(arena, HEADER("\"alg\":\"ES256\",\"jwk\":" JWK));
    bool parsed = false;
    for (size_t bytes = 0; bytes < 4000 && !parsed; bytes += 16) {
        AUTO(arena) small = arena_create(bytes);
        struct jws jws;
        struct acme_problem problem;
        parsed = jws_parse(small, bytes_text(body), &jws, &problem);
        if (parsed)
            jws_clear(&jws);
    }
    assert_true(parsed);
}

static bool parse_binding(struct arena *arena, const char *header, struct jws *out, struct acme_problem *problem)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(body_with(arena, header)), why);
    assert_non_null(object);
    return jws_parse_hmac(arena, object, out, problem);
}

static void a_binding_is_taken_apart(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    static const int bits[] = { 256, 384, 512 };
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        const char *header = arena_printf(arena, "{\"alg\":\"HS%d\",\"kid\":\"eab-1\",\"url\":\"u\"}", bits[i]);
        struct jws jws;
        struct acme_problem problem;
        assert_true(parse_binding(arena, header, &jws, &problem));
        assert_true(jws.hmac);
        assert_int_equal(jws.hmac_bits, bits[i]);
        assert_string_equal(jws.kid, "eab-1");
        assert_string_equal(jws.url, "u");
        assert_null(jws.nonce);
    }
}

/* [8555-7.3.4-3] [8555-7.3.4-5] [8555-7.3.4-10] */
static void bad_bindings_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum acme_problem_type type;
        const char *why;
    } cases[] = {
        { "{\"alg\":\"ES256\",\"kid\":\"k\",\"url\":\"u\"}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "HS256, HS384, HS512" },
        { "{\"alg\":\"none\",\"kid\":\"k\",\"url\":\"u\"}", PROBLEM_BAD_SIGNATURE_ALGORITHM, "HS256, HS384, HS512" },
        { "{\"kid\":\"k\",\"url\":\"u\"}", PROBLEM_MALFORMED, "no \"alg\"" },
        { "{\"alg\":\"HS256\",\"url\":\"u\"}", PROBLEM_MALFORMED, "needs the \"kid\"" },
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}", PROBLEM_MALFORMED, "no \"url\"" },
        { "{\"alg\":\"HS256\",\"kid\":\"k\",\"url\":\"u\",\"nonce\":\"bm9uY2U\"}", PROBLEM_MALFORMED,
          "not have a \"nonce\"" },
        { "{\"alg\":\"HS256\",\"kid\":\"k\",\"url\":\"u\",\"jwk\":{}}", PROBLEM_MALFORMED, "no \"jwk\"" },
        { "{\"alg\":\"HS256\",\"kid\":\"k\",\"url\":\"u\",\"crit\":[]}", PROBLEM_MALFORMED, "\"crit\"" },
    };
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct jws jws;
        struct acme_problem problem;
        assert_false(parse_binding(arena, cases[i].header, &jws, &problem));
        if (problem.type != cases[i].type || strstr(problem.detail, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].header, problem.detail);
        assert_ptr_equal(strstr(problem.detail, "externalAccountBinding"), problem.detail);
    }
    struct jws jws;
    struct acme_problem problem;
    AUTO_TYPE(json_t) text = json_string("text");
    assert_false(jws_parse_hmac(arena, text, &jws, &problem));
    assert_int_equal(problem.type, PROBLEM_MALFORMED);
    assert_false(jws_parse_hmac(arena, NULL, &jws, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kid_request_is_taken_apart),
        cmocka_unit_test(a_jwk_request_carries_its_key),
        cmocka_unit_test(nonce_and_payload_may_be_absent),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(bad_bodies_are_refused_with_their_reason),
        cmocka_unit_test(bad_headers_are_refused_with_their_reason),
        cmocka_unit_test(foreign_algorithms_are_answered_with_ours),
        cmocka_unit_test(an_algorithm_must_fit_the_jwk),
        cmocka_unit_test(a_bad_jwk_is_a_bad_public_key),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_shortened_header_is_refused),
        cmocka_unit_test(too_little_memory_is_never_success),
        cmocka_unit_test(a_binding_is_taken_apart),
        cmocka_unit_test(bad_bindings_are_refused_with_their_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
