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
        assert_int_equal(EVP_PKEY_eq(jwk_pkey(csr_key(csr)), key), 1);
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

/* What accounts are found by. */
static void test_key_has_the_thumbprint_of_an_account(void **state)
{
    static const char *const types[][2] = { { "RSA", "2048" }, { "EC", "P-521" }, { "ED25519", NULL } };
    struct fixture *fixture = *state;
    AUTO(jwk) other = jwk_from_pkey(fixture->key);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        AUTO_TYPE(EVP_PKEY) key = test_key(types[i][0], types[i][1]);
        AUTO(jwk) account = jwk_from_pkey(key);
        AUTO(csr) csr = test_csr(&(struct request_recipe) { key, NULL, "DNS:a.test", NULL });
        assert_string_equal(jwk_thumbprint(csr_key(csr)), jwk_thumbprint(account));
        assert_string_not_equal(jwk_thumbprint(csr_key(csr)), jwk_thumbprint(other));
    }
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
    test_expect_csr(bytes_of(der.data, der.len), CSR_BAD_KEY, "is not a point on its curve");
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

/* What is signed cannot change, and what is not has one form. */
static void test_refuses_every_change_of_a_byte(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t changes[] = { 0x01, 0x20, 0x80 };
    AUTO_DER der = test_request_der(&(struct request_recipe) { fixture->key, "a.test", "DNS:b.test", NULL });
    for (size_t i = 0; i < der.len * ARRAY_SIZE(changes); i++) {
        char why[CSR_WHY_SIZE];
        struct csr *csr;
        uint8_t change = changes[i % ARRAY_SIZE(changes)], *at = &der.data[i / ARRAY_SIZE(changes)];
        *at ^= change;
        if (csr_parse(bytes_of(der.data, der.len), &csr, why) == CSR_OK)
            fail_msg("taken with byte %zu changed by %02x", i / ARRAY_SIZE(changes), change);
        *at ^= change;
    }
}

/* ECDSA's name over a signature that the RSA key made, which would verify. */
static void test_refuses_a_signature_under_another_name(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY) rsa = test_key("RSA", "2048");
    AUTO_DER der = test_request_der(&(struct request_recipe) { rsa, NULL, "DNS:a.test", NULL });
    static const uint8_t rsa_sha256[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    static const uint8_t ecdsa_sha256[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    size_t was = sizeof rsa_sha256 - 1, is = sizeof ecdsa_sha256 - 1;
    uint8_t *at = memmem(der.data, der.len, rsa_sha256, was);
    assert_true(at != NULL && der.data[1] == 0x82);
    memcpy(at, ecdsa_sha256, is);
    memmove(at + is, at + was, der.len - (size_t)(at + was - der.data));
    size_t len = der.len - (was - is);
    der.data[2] = (uint8_t)((len - 4) >> 8);
    der.data[3] = (uint8_t)(len - 4);
    test_expect_csr(bytes_of(der.data, len), CSR_BAD_SIGNATURE, "does not verify with its own public key");
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
        cmocka_unit_test(test_key_has_the_thumbprint_of_an_account),
        cmocka_unit_test(test_refuses_weak_and_strange_keys),
        cmocka_unit_test(test_refuses_rsa_exponent_3),
        cmocka_unit_test(test_refuses_curves_described_and_points_compressed),
        cmocka_unit_test(test_refuses_a_point_off_its_curve),
        cmocka_unit_test(test_refuses_rsa_without_null_parameters),
        cmocka_unit_test(test_refuses_sha1_and_pss_signatures),
        cmocka_unit_test(test_refuses_broken_signatures),
        cmocka_unit_test(test_refuses_every_truncation),
        cmocka_unit_test(test_refuses_every_change_of_a_byte),
        cmocka_unit_test(test_refuses_a_signature_under_another_name),
        cmocka_unit_test(test_refuses_trailing_bytes),
        cmocka_unit_test(test_refuses_long_input_unread),
        cmocka_unit_test(test_refuses_ber),
        cmocka_unit_test(test_refuses_another_version),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
