#include "tests/ca/support.h"

#include <pthread.h>

enum { DAY_MS = 86400000, LEAF_DAYS = 90, SIGNATURES = 64, SUBMITTERS = 4 };
#define NOW_MS INT64_C(1760000000123)

struct fixture {
    struct world_manual clock;
    struct world world;
    EVP_PKEY *key;
    struct ca *ca;
    struct csr *csr; /* names a.test, b.test and 127.0.0.1, CN b.test */
    char serial[CA_SERIAL_TEXT_SIZE];
    struct ca_request request; /* a good one */
};

static struct ca *open_ca(struct fixture *fixture, enum ca_key_type type)
{
    char why[CA_WHY_SIZE];
    struct ca *ca = NULL;
    struct ca_options options = { .key_type = type, .name = "Caraway", .threads = 2, .world = &fixture->world };
    if (!ca_open(&options, &ca, why))
        fail_msg("%s", why);
    return ca;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world = world_manual(&fixture->clock, NOW_MS);
    fixture->key = test_key("EC", "P-256");
    fixture->ca = open_ca(fixture, CA_KEY_P256);
    struct request_recipe recipe = { fixture->key, "b.test", "DNS:a.test,DNS:b.test,IP:127.0.0.1", NULL };
    fixture->csr = test_csr(&recipe);
    ca_make_serial(&fixture->world, fixture->serial);
    fixture->request = (struct ca_request) {
        .csr = fixture->csr,
        .identifiers = csr_identifiers(fixture->csr, &fixture->request.identifier_count),
        .identifier_count = 3,
        .serial = fixture->serial,
        .not_before_ms = NOW_MS,
        .not_after_ms = NOW_MS + (int64_t)LEAF_DAYS * DAY_MS - 1000,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(fixture->ca);
    csr_drop(fixture->csr);
    EVP_PKEY_free(fixture->key);
    free(fixture);
    return 0;
}

static X509 *decode(struct ca_request *request)
{
    if (request->status != CA_OK)
        fail_msg("%s", request->why);
    const unsigned char *at = request->der;
    X509 *cert = d2i_X509(NULL, &at, (long)request->der_len);
    assert_non_null(cert);
    assert_ptr_equal(at, request->der + request->der_len);
    unsigned char *inner = NULL, *again = NULL; /* as OpenSSL writes what it has read */
    assert_true(i2d_re_X509_tbs(cert, &inner) > 0);
    assert_int_equal(i2d_X509(cert, &again), request->der_len);
    assert_memory_equal(again, request->der, request->der_len);
    OPENSSL_free(inner);
    OPENSSL_free(again);
    OPENSSL_free(request->der);
    return cert;
}

static X509 *sign_good(struct fixture *fixture)
{
    test_sign(fixture->ca, &fixture->request);
    return decode(&fixture->request);
}

static void verify(struct ca *ca, X509 *cert, int64_t now_ms)
{
    AUTO_TYPE(X509) root = test_pem_cert(ca_root_pem(ca, 0));
    AUTO_TYPE(X509) intermediate = test_pem_cert(ca_chain_pem(ca, 0));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, intermediate);
    X509_STORE_add_cert(store, root);
    X509_STORE_CTX_init(context, store, cert, chain);
    X509_STORE_CTX_set_time(context, 0, (time_t)(now_ms / 1000));
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    int good = X509_verify_cert(context);
    assert_string_equal(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)), "ok");
    assert_int_equal(good, 1);
    sk_X509_free(chain);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
}

static void test_leaf_verifies_against_root_and_chain(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) cert = sign_good(fixture);
    verify(fixture->ca, cert, NOW_MS);
    assert_int_equal(X509_get_version(cert), 2);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), fixture->key), 1);
    assert_int_equal(X509_get_signature_nid(cert), NID_ecdsa_with_SHA256);
}

/* [8555-7.4-3] */
static void test_leaf_extensions_byte_by_byte(void **state)
{
    AUTO_TYPE(X509) cert = sign_good(*state);
    test_expect_extension(cert, NID_key_usage, 1, "03:02:07:80");
    test_expect_extension(cert, NID_ext_key_usage, 0, "30:0A:06:08:2B:06:01:05:05:07:03:01");
    test_expect_extension(cert, NID_basic_constraints, 1, "30:00");
    test_expect_extension(cert, NID_subject_alt_name, 0,
                          "30:16:82:06:61:2E:74:65:73:74:82:06:62:2E:74:65:73:74:87:04:7F:00:00:01");
    assert_int_equal(X509_get_ext_count(cert), 6);
}

static void test_leaf_key_identifiers(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) cert = sign_good(fixture);
    AUTO_TYPE(X509) issuer = test_pem_cert(ca_chain_pem(fixture->ca, 0));
    uint8_t digest[SHA256_BYTES];
    assert_int_equal(X509_pubkey_digest(cert, EVP_sha256(), digest, NULL), 1);
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(cert);
    assert_int_equal(ASN1_STRING_length(own), 20);
    assert_memory_equal(ASN1_STRING_get0_data(own), digest, 20);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(cert), X509_get0_subject_key_id(issuer)), 0);
    assert_null(X509_get0_authority_issuer(cert));
    assert_null(X509_get0_authority_serial(cert));
}

/* [8555-7.4-3] */
static void test_leaf_dates_are_cut_to_seconds(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) cert = sign_good(fixture);
    time_t from = (time_t)(NOW_MS / 1000), until = from + (time_t)LEAF_DAYS * 86400 - 1;
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), from), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), until), 0);
}

static void test_leaf_serial_is_the_one_asked_for(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) cert = sign_good(fixture);
    uint8_t want[CA_SERIAL_BYTES];
    size_t len;
    assert_int_equal(OPENSSL_hexstr2buf_ex(want, sizeof want, &len, fixture->serial, '\0'), 1);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER);
    assert_int_equal(ASN1_STRING_length(serial), sizeof want);
    assert_memory_equal(ASN1_STRING_get0_data(serial), want, sizeof want);
}

static void test_common_name_is_promoted(void **state)
{
    AUTO_TYPE(X509) cert = sign_good(*state);
    char text[128];
    X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof text);
    assert_string_equal(text, "/CN=b.test");
}

static X509 *sign_for(struct fixture *fixture, const struct request_recipe *recipe)
{
    AUTO(csr) csr = test_csr(recipe);
    fixture->request.csr = csr;
    fixture->request.identifiers = csr_identifiers(csr, &fixture->request.identifier_count);
    return sign_good(fixture);
}

static void test_alternative_names_are_critical_without_a_subject(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) cert = sign_for(fixture, &(struct request_recipe) { fixture->key, NULL, "IP:2001:db8::1", NULL });
    test_expect_extension(cert, NID_subject_alt_name, 1, "30:12:87:10:20:01:0D:B8:00:00:00:00:00:00:00:00:00:00:00:01");
    assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(cert)), 0);
    verify(fixture->ca, cert, NOW_MS);
}

static void test_rsa_leaf_may_encipher_keys(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(EVP_PKEY) key = test_key("RSA", "2048");
    AUTO_TYPE(X509) cert = sign_for(fixture, &(struct request_recipe) { key, NULL, "DNS:*.a.test", NULL });
    test_expect_extension(cert, NID_key_usage, 1, "03:02:05:A0");
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
    verify(fixture->ca, cert, NOW_MS);
}

static void test_every_issuer_key_type_signs(void **state)
{
    static const int algorithms[CA_KEY_TYPES] = {
        [CA_KEY_P256] = NID_ecdsa_with_SHA256,
        [CA_KEY_P384] = NID_ecdsa_with_SHA384,
        [CA_KEY_RSA2048] = NID_sha256WithRSAEncryption,
        [CA_KEY_RSA4096] = NID_sha256WithRSAEncryption,
    };
    struct fixture *fixture = *state;
    for (int type = 0; type < CA_KEY_TYPES; type++) {
        AUTO(ca) ca = open_ca(fixture, (enum ca_key_type)type);
        test_sign(ca, &fixture->request);
        AUTO_TYPE(X509) cert = decode(&fixture->request);
        assert_int_equal(X509_get_signature_nid(cert), algorithms[type]);
        const X509_ALGOR *algorithm;
        int parameters;
        X509_get0_signature(NULL, &algorithm, cert);
        X509_ALGOR_get0(NULL, &parameters, NULL, algorithm);
        /* RFC 4055 §5, RFC 5758 §3.2 */
        assert_int_equal(parameters, algorithms[type] == NID_sha256WithRSAEncryption ? V_ASN1_NULL : V_ASN1_UNDEF);
        verify(ca, cert, NOW_MS);
    }
}

static void test_every_leaf_key_type_is_signed(void **state)
{
    static const char *const types[][2] = { { "EC", "P-384" }, { "EC", "P-521" }, { "ED25519", NULL } };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        AUTO_TYPE(EVP_PKEY) key = test_key(types[i][0], types[i][1]);
        AUTO_TYPE(X509) cert = sign_for(fixture, &(struct request_recipe) { key, "a.test", NULL, NULL });
        test_expect_extension(cert, NID_key_usage, 1, "03:02:07:80");
        assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
        verify(fixture->ca, cert, NOW_MS);
    }
}

static bool last_bits_are_zero(EVP_PKEY *key)
{
    uint8_t raw[32];
    size_t len = sizeof raw;
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len), 1);
    return raw[len - 1] % 2 == 0;
}

/* Zero bits at the end of a BIT STRING are easily taken for unused ones. */
/* [8555-7.4-3] */
static void test_public_key_stands_as_in_the_request(void **state)
{
    struct fixture *fixture = *state;
    EVP_PKEY *even = test_key("ED25519", NULL);
    while (!last_bits_are_zero(even)) {
        EVP_PKEY_free(even);
        even = test_key("ED25519", NULL);
    }
    AUTO_TYPE(EVP_PKEY) key = even;
    AUTO_TYPE(X509) cert = sign_for(fixture, &(struct request_recipe) { key, NULL, "DNS:a.test", NULL });
    unsigned char *want = NULL, *got = NULL;
    int len = i2d_PUBKEY(key, &want);
    assert_int_equal(i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &got), len);
    assert_memory_equal(got, want, (size_t)len);
    OPENSSL_free(want);
    OPENSSL_free(got);
}

static void expect_refused(struct fixture *fixture, const char *phrase)
{
    test_sign(fixture->ca, &fixture->request);
    assert_int_equal(fixture->request.status, CA_REFUSED);
    assert_null(fixture->request.der);
    if (strstr(fixture->request.why, phrase) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", fixture->request.why, phrase);
}

static void test_refuses_more_than_398_days(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.not_after_ms = NOW_MS + INT64_C(398) * DAY_MS - 1000;
    X509_free(sign_good(fixture));
    fixture->request.not_after_ms += 1000;
    expect_refused(fixture, "longer than 398 days");
}

static void test_refuses_to_end_before_it_begins(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.not_after_ms = fixture->request.not_before_ms - 1000;
    expect_refused(fixture, "before it begins");
}

static void test_refuses_to_outlive_the_issuer(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) issuer = test_pem_cert(ca_chain_pem(fixture->ca, 0));
    struct tm end;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(issuer), &end), 1);
    fixture->request.not_after_ms = (int64_t)timegm(&end) * 1000;
    fixture->request.not_before_ms = fixture->request.not_after_ms - DAY_MS;
    X509_free(sign_good(fixture));
    fixture->request.not_after_ms += 1000;
    expect_refused(fixture, "outlive");
}

static void test_refuses_no_names_and_too_many(void **state)
{
    struct fixture *fixture = *state;
    struct acme_identifier many[CSR_MAX_NAMES + 1];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (struct acme_identifier) { IDENTIFIER_DNS, "b.test" };
    fixture->request.identifiers = many;
    fixture->request.identifier_count = CSR_MAX_NAMES;
    X509_free(sign_good(fixture));
    fixture->request.identifier_count = CSR_MAX_NAMES + 1;
    expect_refused(fixture, "1 to 100");
    fixture->request.identifier_count = 0;
    expect_refused(fixture, "1 to 100");
}

static void test_refuses_a_common_name_that_is_not_among_the_names(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.identifier_count = 1;
    expect_refused(fixture, "\"b.test\" is not among the names");
}

static void test_refuses_bad_serials(void **state)
{
    static const char *const serials[] = {
        "",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdeg",
        "0123456789ABCDEF0123456789ABCDEF",
        "00123456789abcdef0123456789abcde",
        "80123456789abcdef0123456789abcde",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
        fixture->request.serial = serials[i];
        expect_refused(fixture, "serial");
    }
    fixture->request.serial = "7fffffffffffffffffffffffffffffff";
    X509_free(sign_good(fixture));
}

static void test_fails_for_an_address_that_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct acme_identifier names[] = { { IDENTIFIER_DNS, "b.test" }, { IDENTIFIER_IP, "1.2.3" } };
    fixture->request.identifiers = names;
    fixture->request.identifier_count = 2;
    test_sign(fixture->ca, &fixture->request);
    assert_int_equal(fixture->request.status, CA_FAILED);
    assert_null(fixture->request.der);
}

static void count_one(struct ca_request *request, void *arg)
{
    assert_int_equal(request->status, CA_OK);
    __atomic_fetch_add((unsigned *)arg, 1, __ATOMIC_SEQ_CST);
}

struct submitter {
    struct fixture *fixture;
    unsigned *count;
    struct ca_request requests[SIGNATURES];
};

static void *submit_many(void *arg)
{
    struct submitter *submitter = arg;
    for (int i = 0; i < SIGNATURES; i++) {
        struct ca_request *request = &submitter->requests[i];
        *request = submitter->fixture->request;
        request->done = count_one;
        request->arg = submitter->count;
        ca_submit(submitter->fixture->ca, request);
    }
    return NULL;
}

static void test_many_threads_submit_and_drop_finishes_all(void **state)
{
    struct fixture *fixture = *state;
    unsigned count = 0;
    static struct submitter submitters[SUBMITTERS];
    pthread_t threads[SUBMITTERS];
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter) { .fixture = fixture, .count = &count };
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    ca_drop(TAKE(fixture->ca));
    assert_int_equal(count, SUBMITTERS * SIGNATURES);
    for (int i = 0; i < SUBMITTERS * SIGNATURES; i++)
        X509_free(decode(&submitters[i / SIGNATURES].requests[i % SIGNATURES]));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_leaf_verifies_against_root_and_chain),
        CASE(test_leaf_extensions_byte_by_byte),
        CASE(test_leaf_key_identifiers),
        CASE(test_leaf_dates_are_cut_to_seconds),
        CASE(test_leaf_serial_is_the_one_asked_for),
        CASE(test_common_name_is_promoted),
        CASE(test_alternative_names_are_critical_without_a_subject),
        CASE(test_rsa_leaf_may_encipher_keys),
        CASE(test_every_issuer_key_type_signs),
        CASE(test_every_leaf_key_type_is_signed),
        CASE(test_public_key_stands_as_in_the_request),
        CASE(test_refuses_more_than_398_days),
        CASE(test_refuses_to_end_before_it_begins),
        CASE(test_refuses_to_outlive_the_issuer),
        CASE(test_refuses_no_names_and_too_many),
        CASE(test_refuses_a_common_name_that_is_not_among_the_names),
        CASE(test_refuses_bad_serials),
        CASE(test_fails_for_an_address_that_is_none),
        CASE(test_many_threads_submit_and_drop_finishes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
