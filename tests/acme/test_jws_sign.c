#include "acme/jws.h"
#include "base/encode.h"
#include "tests/unit.h"

#include <pthread.h>

enum { ARENA_BYTES = 1 << 18, BODY_MAX_BYTES = 1 << 16 };

/* RFC 7515 A.2, A.3, A.4 and RFC 8037 A.4: their signatures are made by others, so ours and theirs cannot be wrong in
 * the same way. */
#define JOE "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const struct vector {
    enum jws_algorithm algorithm;
    const char *jwk, *input, *signature;
} vectors[] = {
    { JWS_RS256,
      "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
      "4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"
      "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NA"
      "co9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}",
      "eyJhbGciOiJSUzI1NiJ9." JOE,
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
      "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
      "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
      "Ge77Rw" },
    { JWS_ES256,
      "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
      "eyJhbGciOiJFUzI1NiJ9." JOE,
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q" },
    { JWS_ES512,
      "{\"kty\":\"EC\",\"crv\":\"P-521\","
      "\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\","
      "\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
      "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
      "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZC"
      "PEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn" },
    { JWS_EDDSA, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
};

static struct bytes decoded(struct arena *arena, const char *text)
{
    struct bytes out;
    assert_true(b64url_decode(arena, bytes_text(text), &out));
    return out;
}

static struct jwk *key_of(const char *json)
{
    struct jwk *key = NULL;
    struct acme_problem problem;
    if (!jwk_from_json(json, &key, &problem))
        fail_msg("%s: %s", json, problem.detail);
    return key;
}

static struct jws jws_of(struct arena *arena, const struct vector *vector)
{
    return (struct jws) { .algorithm = vector->algorithm,
                          .signature = decoded(arena, vector->signature),
                          .signing_input = bytes_text(vector->input) };
}

/* [8555-6.2-14] [8555-6.2-15] */
static void signatures_of_the_rfcs_hold(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        AUTO(jwk) key = key_of(vectors[i].jwk);
        struct jws jws = jws_of(arena, &vectors[i]);
        struct acme_problem problem;
        if (!jws_verify(&jws, key, &problem))
            fail_msg("%s: %s", jws_algorithm_text(vectors[i].algorithm), problem.detail);
    }
}

static void changed_signatures_and_inputs_do_not(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        AUTO(jwk) key = key_of(vectors[i].jwk);
        struct acme_problem problem;
        struct jws jws = jws_of(arena, &vectors[i]);
        ((uint8_t *)jws.signature.data)[jws.signature.len / 2] ^= 1;
        assert_false(jws_verify(&jws, key, &problem));
        assert_int_equal(problem.type, PROBLEM_MALFORMED);
        assert_ptr_equal(strstr(problem.detail, "JWS signature"), problem.detail);
        jws = jws_of(arena, &vectors[i]);
        jws.signing_input.len--;
        assert_false(jws_verify(&jws, key, &problem));
        assert_int_equal(problem.type, PROBLEM_MALFORMED);
    }
}

static void every_shorter_and_longer_signature_is_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        AUTO(jwk) key = key_of(vectors[i].jwk);
        struct jws jws = jws_of(arena, &vectors[i]);
        size_t whole = jws.signature.len;
        uint8_t longer[600] = { 0 };
        memcpy(longer, jws.signature.data, whole);
        for (size_t len = 0; len < whole + 8; len += len + 8 < whole && len > 8 ? 7 : 1) {
            jws.signature = bytes_of(longer, len);
            struct acme_problem problem;
            assert_int_equal(jws_verify(&jws, key, &problem), len == whole);
        }
    }
}

static void zeros_in_front_must_be_kept(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = key_of(vectors[1].jwk);
    struct jws jws = jws_of(arena, &vectors[1]);
    struct acme_problem problem;
    jws.signature.len = 62;
    assert_false(jws_verify(&jws, key, &problem));
    assert_non_null(strstr(problem.detail, "62 bytes long; ES256 needs exactly 64"));
    assert_non_null(strstr(problem.detail, "have been dropped"));
    uint8_t der[71] = { 0x30, 69 };
    jws.signature = bytes_of(der, sizeof der);
    assert_false(jws_verify(&jws, key, &problem));
    assert_non_null(strstr(problem.detail, "DER"));
}

static void zero_is_no_signature(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = key_of(vectors[1].jwk);
    struct jws jws = jws_of(arena, &vectors[1]);
    struct acme_problem problem;
    uint8_t zeros[64] = { 0 };
    jws.signature = bytes_of(zeros, sizeof zeros);
    assert_false(jws_verify(&jws, key, &problem));
}

static void another_algorithm_than_the_keys_is_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = key_of(vectors[1].jwk);
    struct jws jws = jws_of(arena, &vectors[1]);
    struct acme_problem problem;
    jws.algorithm = JWS_RS256;
    assert_false(jws_verify(&jws, key, &problem));
    assert_int_equal(problem.type, PROBLEM_BAD_SIGNATURE_ALGORITHM);
    assert_ptr_equal(problem.algorithms, jws_algorithm_names);
    assert_non_null(strstr(problem.detail, "signs with ES256"));
}

static struct jwk *make_key(enum jws_algorithm algorithm)
{
    static const char *const curves[] = { [JWS_ES256] = "P-256", [JWS_ES384] = "P-384", [JWS_ES512] = "P-521" };
    AUTO_TYPE(EVP_PKEY)
    pkey = algorithm == JWS_RS256   ? EVP_RSA_gen(2048)
           : algorithm == JWS_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                    : EVP_EC_gen(curves[algorithm]);
    struct jwk *key = jwk_from_pkey(pkey);
    assert_non_null(key);
    return key;
}

/* [8555-6.2-14] [8555-6.2-15] [8555-6.2-19] */
static void what_we_sign_we_accept(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    const struct jws_header header = { .nonce = "bm9uY2U", .url = "https://ca.test/new-account" };
    for (unsigned algorithm = 0; algorithm < JWS_ALGORITHMS; algorithm++) {
        AUTO(jwk) key = make_key(algorithm);
        AUTO_BUF(body, BODY_MAX_BYTES);
        assert_true(jws_sign(&body, key, &header, bytes_text("{\"a\":\"\\u00e4\"}")));
        struct jws jws;
        struct acme_problem problem;
        assert_true(jws_parse(arena, buf_bytes(&body), &jws, &problem));
        assert_true(jws_verify(&jws, jws.jwk, &problem));
        assert_string_equal(jwk_thumbprint(jws.jwk), jwk_thumbprint(key));
        assert_string_equal(jws.nonce, "bm9uY2U");
        assert_string_equal(jws.url, "https://ca.test/new-account");
        assert_true(bytes_equal_text(jws.payload, "{\"a\":\"\\u00e4\"}"));
        AUTO(jwk) other = make_key(algorithm);
        assert_false(jws_verify(&jws, other, &problem));
        assert_int_equal(problem.type, PROBLEM_MALFORMED);
        AUTO(jwk) other_from_json = NULL;
        assert_true(jwk_from_json(jwk_json(other), &other_from_json, &problem));
        assert_false(jws_verify(&jws, other_from_json, &problem));
        assert_true(jws_verify(&jws, jws.jwk, &problem)); /* once more: the first has left nothing behind */
        jws_clear(&jws);
    }
}

static void *verify_often(void *arg)
{
    struct jws *jws = arg;
    struct acme_problem problem;
    bool good = true;
    for (int i = 0; i < 50; i++)
        good &= jws_verify(jws, jws->jwk, &problem);
    return good ? jws : NULL;
}

static void threads_verify_with_one_key(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = make_key(JWS_ES256);
    AUTO_BUF(body, BODY_MAX_BYTES);
    const struct jws_header header = { .url = "u" };
    struct jws jws;
    struct acme_problem problem;
    assert_true(jws_sign(&body, key, &header, bytes_text("{}")));
    assert_true(jws_parse(arena, buf_bytes(&body), &jws, &problem));
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_often, &jws), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    jws_clear(&jws);
}

static void ecdsa_signatures_always_have_full_width(void **state)
{
    (void)state;
    AUTO(jwk) key = make_key(JWS_ES256);
    const struct jws_header header = { .kid = "k", .url = "u" };
    for (int i = 0; i < 600; i++) { /* nearly one in 128 has a zero byte in front of r or s */
        AUTO(arena) arena = arena_create(ARENA_BYTES);
        AUTO_BUF(body, BODY_MAX_BYTES);
        assert_true(jws_sign(&body, key, &header, bytes_text("{}")));
        struct jws jws;
        struct acme_problem problem;
        assert_true(jws_parse(arena, buf_bytes(&body), &jws, &problem));
        assert_int_equal(jws.signature.len, 64);
        assert_true(jws_verify(&jws, key, &problem));
    }
}

static void a_kid_replaces_the_jwk_and_a_nonce_may_be_left_out(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = make_key(JWS_EDDSA);
    const struct jws_header header = { .kid = "https://ca.test/account/\"1\"", .url = "u" };
    AUTO_BUF(body, BODY_MAX_BYTES);
    assert_true(jws_sign(&body, key, &header, bytes_text("")));
    struct jws jws;
    struct acme_problem problem;
    assert_true(jws_parse(arena, buf_bytes(&body), &jws, &problem));
    assert_null(jws.jwk);
    assert_null(jws.nonce);
    assert_string_equal(jws.kid, header.kid);
    assert_int_equal(jws.payload.len, 0);
    assert_true(jws_verify(&jws, key, &problem));
}

static void a_protected_header_of_ones_own_is_signed_as_it_stands(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO(jwk) key = make_key(JWS_ES256);
    AUTO_BUF(body, BODY_MAX_BYTES);
    const char *header = "{\"alg\":\"ES256\",\"url\":\"u\",\"kid\":\"k\",\"more\":1}";
    assert_true(jws_sign_protected(&body, key, bytes_text(header), bytes_text("{}")));
    assert_non_null(strstr(buf_str(&body), arena_b64url(arena, bytes_text(header))));
    struct jws jws;
    struct acme_problem problem;
    assert_true(jws_parse(arena, buf_bytes(&body), &jws, &problem));
    assert_true(jws_verify(&jws, key, &problem));
}

static void a_buffer_too_small_is_no_success(void **state)
{
    (void)state;
    AUTO(jwk) key = make_key(JWS_EDDSA);
    const struct jws_header header = { .kid = "k", .url = "u" };
    AUTO_BUF(whole, BODY_MAX_BYTES);
    assert_true(jws_sign(&whole, key, &header, bytes_text("{}")));
    for (size_t most = 0; most <= whole.len; most++) {
        AUTO_BUF(body, most);
        assert_int_equal(jws_sign(&body, key, &header, bytes_text("{}")), most == whole.len);
    }
}

/* RFC 7515 A.1 */
static void the_mac_of_the_rfc_holds_and_no_other(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct bytes secret =
        decoded(arena, "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    struct jws jws = { .hmac = true,
                       .hmac_bits = 256,
                       .signature = decoded(arena, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
                       .signing_input = bytes_text("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE) };
    struct acme_problem problem;
    assert_true(jws_verify_hmac(&jws, secret, &problem));
    assert_false(jws_verify_hmac(&jws, bytes_text("another"), &problem));
    assert_int_equal(problem.type, PROBLEM_UNAUTHORIZED);
    jws.hmac_bits = 512;
    assert_false(jws_verify_hmac(&jws, secret, &problem));
    jws.hmac_bits = 256;
    jws.signature.len--;
    assert_false(jws_verify_hmac(&jws, secret, &problem));
    jws.signature.len = 0;
    assert_false(jws_verify_hmac(&jws, secret, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_the_rfcs_hold),
        cmocka_unit_test(changed_signatures_and_inputs_do_not),
        cmocka_unit_test(every_shorter_and_longer_signature_is_refused),
        cmocka_unit_test(zeros_in_front_must_be_kept),
        cmocka_unit_test(zero_is_no_signature),
        cmocka_unit_test(another_algorithm_than_the_keys_is_refused),
        cmocka_unit_test(what_we_sign_we_accept),
        cmocka_unit_test(threads_verify_with_one_key),
        cmocka_unit_test(ecdsa_signatures_always_have_full_width),
        cmocka_unit_test(a_kid_replaces_the_jwk_and_a_nonce_may_be_left_out),
        cmocka_unit_test(a_protected_header_of_ones_own_is_signed_as_it_stands),
        cmocka_unit_test(a_buffer_too_small_is_no_success),
        cmocka_unit_test(the_mac_of_the_rfc_holds_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
