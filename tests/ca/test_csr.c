#include "tests/ca/support.h"

struct fixture {
    EVP_PKEY *key;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.key = test_key("EC", "P-256");
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(((struct fixture *)*state)->key);
    return 0;
}

static void expect_key(const char *type, const char *size, enum csr_status want, const char *phrase)
{
    AUTO_TYPE(EVP_PKEY) key = test_key(type, size);
    test_expect_request(test_request(&(struct request_recipe) { key, NULL, "DNS:a.test", NULL }), want, phrase);
}

static void test_every_key_type_is_taken(void **state)
{
    (void)state;
    static const char *const types[][2] = {
        { "RSA", "2048" }, { "RSA", "2056" }, { "RSA", "3072" }, { "RSA", "4096" },
        { "EC", "P-256" }, { "EC", "P-384" }, { "EC", "P-521" }, { "ED25519", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        AUTO_TYPE(EVP_PKEY) key = test_key(types[i][0], types[i][1]);
        AUTO(csr) csr = test_csr(&(struct request_recipe) { key, NULL, "DNS:a.test", NULL });
        assert_true(csr_key_is(csr, key));
        assert_int_equal(EVP_PKEY_eq(csr_key(csr), key), 1);
    }
}

static void test_every_sha2_signature_is_taken(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(EVP_PKEY) rsa = test_key("RSA", "2048");
    const EVP_MD *digests[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
    for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
        csr_drop(test_csr(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", digests[i] }));
        csr_drop(test_csr(&(struct request_recipe) { rsa, NULL, "DNS:a.test", digests[i] }));
    }
}

static void test_key_hash_is_of_the_public_key_info(void **state)
{
    struct fixture *fixture = *state;
    AUTO(csr) csr = test_csr(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", NULL });
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(fixture->key, &spki);
    uint8_t want[SHA256_BYTES], got[SHA256_BYTES];
    crypto_digest_sha256(bytes_of(spki, (size_t)len), want);
    OPENSSL_free(spki);
    csr_key_hash(csr, got);
    assert_memory_equal(got, want, sizeof want);
}

static void test_key_is_not_another_key(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(EVP_PKEY) other = test_key("EC", "P-256");
    AUTO_TYPE(EVP_PKEY) rsa = test_key("RSA", "2048");
    AUTO(csr) csr = test_csr(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", NULL });
    assert_false(csr_key_is(csr, other));
    assert_false(csr_key_is(csr, rsa));
}

static void test_refuses_weak_and_strange_keys(void **state)
{
    (void)state;
    expect_key("RSA", "1024", CSR_BAD_KEY, "1024 bits");
    expect_key("RSA", "2052", CSR_BAD_KEY, "2052 bits");
    expect_key("RSA", "4104", CSR_BAD_KEY, "4104 bits");
    expect_key("EC", "P-224", CSR_BAD_KEY, "other than P-256, P-384 and P-521");
    expect_key("EC", "secp256k1", CSR_BAD_KEY, "other than P-256, P-384 and P-521");
    expect_key("ED448", NULL, CSR_BAD_KEY, "neither RSA, ECDSA nor Ed25519");
}

static EVP_PKEY *generate(EVP_PKEY_CTX *context)
{
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    return key;
}

static void test_refuses_rsa_exponent_3(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY_keygen_init(context);
    EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048);
    BIGNUM *three = BN_new();
    BN_set_word(three, 3);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, three), 1);
    BN_free(three);
    AUTO_TYPE(EVP_PKEY) key = generate(context);
    test_expect_request(test_request(&(struct request_recipe) { key, NULL, "DNS:a.test", NULL }), CSR_BAD_KEY, "65537");
}

static EVP_PKEY *ec_key_with(const char *parameter, const char *value)
{
    AUTO_TYPE(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY_keygen_init(context);
    EVP_PKEY_CTX_set_group_name(context, "P-256");
    EVP_PKEY *key = generate(context);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, parameter, value), 1);
    return key;
}

static void test_refuses_curves_described_and_points_compressed(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY) described = ec_key_with("encoding", "explicit");
    AUTO_TYPE(EVP_PKEY) compressed = ec_key_with("point-format", "compressed");
    test_expect_request(test_request(&(struct request_recipe) { described, NULL, "DNS:a.test", NULL }), CSR_BAD_KEY,
                        "instead of naming it");
    test_expect_request(test_request(&(struct request_recipe) { compressed, NULL, "DNS:a.test", NULL }), CSR_BAD_KEY,
                        "uncompressed");
}

static void test_refuses_a_point_off_its_curve(void **state)
{
    struct fixture *fixture = *state;
    AUTO_DER der = test_request_der(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", NULL });
    uint8_t point[65];
    size_t len;
    assert_int_equal(EVP_PKEY_get_octet_string_param(fixture->key, "pub", point, sizeof point, &len), 1);
    uint8_t *at = memmem(der.data, der.len, point, len);
    assert_non_null(at);
    at[len - 1] ^= 1;
    test_expect_csr(bytes_of(der.data, der.len), CSR_BAD_KEY, "public key");
}

static void test_refuses_rsa_without_null_parameters(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY) key = test_key("RSA", "2048");
    struct request_recipe recipe = { key, NULL, "DNS:a.test", NULL };
    X509_REQ *request = test_request(&recipe);
    X509_ALGOR *algorithm;
    X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_REQ_get_X509_PUBKEY(request));
    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF, NULL);
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_BAD_KEY, "NULL parameters");
}

static void test_refuses_sha1_and_pss_signatures(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(EVP_PKEY) rsa = test_key("RSA", "2048");
    test_expect_request(test_request(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", EVP_sha1() }),
                        CSR_BAD_SIGNATURE, "is signed with ecdsa-with-SHA1");
    test_expect_request(test_request(&(struct request_recipe) { rsa, NULL, "DNS:a.test", EVP_md5() }),
                        CSR_BAD_SIGNATURE, "is signed with md5");
    X509_REQ *request = test_request(&(struct request_recipe) { rsa, NULL, "DNS:a.test", NULL });
    AUTO_TYPE(EVP_MD_CTX) context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;
    EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, rsa);
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    assert_true(X509_REQ_sign_ctx(request, context) > 0);
    test_expect_request(request, CSR_BAD_SIGNATURE, "rsassaPss");
}

static void test_refuses_broken_signatures(void **state)
{
    struct fixture *fixture = *state;
    static const char phrase[] = "has a signature that does not verify with its own public key";
    X509_REQ *request = test_request(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", NULL });
    AUTO_DER der = test_encode(request);
    uint8_t *name = memmem(der.data, der.len, "a.test", 6);
    name[0] = 'b';
    test_expect_csr(bytes_of(der.data, der.len), CSR_BAD_SIGNATURE, phrase);
    name[0] = 'a';
    der.data[der.len - 1] ^= 1;
    test_expect_csr(bytes_of(der.data, der.len), CSR_BAD_SIGNATURE, phrase);
    AUTO_TYPE(EVP_PKEY) other = test_key("EC", "P-256");
    X509_REQ_sign(request, other, EVP_sha256());
    test_expect_request(request, CSR_BAD_SIGNATURE, phrase);
}

static void test_refuses_every_truncation(void **state)
{
    struct fixture *fixture = *state;
    AUTO_DER der = test_request_der(&(struct request_recipe) { fixture->key, "a.test", "DNS:a.test", NULL });
    for (size_t len = 0; len < der.len; len++)
        test_expect_csr(bytes_of(der.data, len), CSR_MALFORMED, "is not a DER-encoded PKCS#10");
}

static void test_refuses_trailing_bytes(void **state)
{
    struct fixture *fixture = *state;
    AUTO_DER der = test_request_der(&(struct request_recipe) { fixture->key, "a.test", NULL, NULL });
    uint8_t longer[1024] = { 0 };
    memcpy(longer, der.data, der.len);
    test_expect_csr(bytes_of(longer, der.len + 2), CSR_MALFORMED, "is followed by 2 more bytes");
}

static void test_refuses_long_input_unread(void **state)
{
    (void)state;
    static uint8_t zeros[CSR_MAX_BYTES + 1];
    test_expect_csr(bytes_of(zeros, sizeof zeros), CSR_MALFORMED, "is longer than 32768 bytes");
    test_expect_csr(bytes_of(zeros, sizeof zeros - 1), CSR_MALFORMED, "is not a DER-encoded");
}

/* The outer length written with one byte more than needed: BER, not DER. */
static void test_refuses_ber(void **state)
{
    struct fixture *fixture = *state;
    AUTO_DER der = test_request_der(&(struct request_recipe) { fixture->key, "a.test", NULL, NULL });
    uint8_t ber[1024];
    size_t head = der.data[1] == 0x81 ? 3 : 4, body = der.len - head;
    assert_true(der.data[0] == 0x30 && body < sizeof ber - 5);
    memcpy(ber, (uint8_t[]) { 0x30, 0x83, 0, (uint8_t)(body >> 8), (uint8_t)body }, 5);
    memcpy(ber + 5, der.data + head, body);
    test_expect_csr(bytes_of(ber, body + 5), CSR_MALFORMED, "is not encoded as DER");
}

static void test_refuses_another_version(void **state)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, "a.test", NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    X509_REQ_set_version(request, 1);
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_MALFORMED, "version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_type_is_taken),
        cmocka_unit_test(test_every_sha2_signature_is_taken),
        cmocka_unit_test(test_key_hash_is_of_the_public_key_info),
        cmocka_unit_test(test_key_is_not_another_key),
        cmocka_unit_test(test_refuses_weak_and_strange_keys),
        cmocka_unit_test(test_refuses_rsa_exponent_3),
        cmocka_unit_test(test_refuses_curves_described_and_points_compressed),
        cmocka_unit_test(test_refuses_a_point_off_its_curve),
        cmocka_unit_test(test_refuses_rsa_without_null_parameters),
        cmocka_unit_test(test_refuses_sha1_and_pss_signatures),
        cmocka_unit_test(test_refuses_broken_signatures),
        cmocka_unit_test(test_refuses_every_truncation),
        cmocka_unit_test(test_refuses_trailing_bytes),
        cmocka_unit_test(test_refuses_long_input_unread),
        cmocka_unit_test(test_refuses_ber),
        cmocka_unit_test(test_refuses_another_version),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
