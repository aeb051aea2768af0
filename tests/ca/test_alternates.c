#include "tests/ca/authority_fixture.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const own_files[] = { "root-key-1.pem", "root-1.pem", "intermediate-1.pem" };
static const char advice[] =
    "; put the right file there, or move root-key-1.pem, root-1.pem and intermediate-1.pem away to have new ones made";

static struct ca *open_with(struct fixture *fixture, unsigned alternates)
{
    fixture->options.alternates = alternates;
    return open_good(fixture);
}

static void expect_chain_advice(struct fixture *fixture, const char *phrase)
{
    expect_refused(fixture, phrase);
    assert_non_null(strstr(fixture->why, advice));
}

static void move_away(struct fixture *fixture, const char *name)
{
    char path[128];
    path_of(fixture, name, path);
    assert_int_equal(unlink(path), 0);
}

static void test_without_alternates_there_is_one_chain(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    AUTO(ca) ca = open_good(fixture);
    assert_int_equal(ca_chain_count(ca), 1);
    path_of(fixture, "root-1.pem", path);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_each_chain_has_files(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_with(fixture, 1));
    for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
        char path[128];
        struct stat facts;
        path_of(fixture, own_files[i], path);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, strstr(path, "key") != NULL ? 0600 : 0644);
    }
    char shared[128];
    path_of(fixture, "intermediate-key-1.pem", shared);
    assert_int_not_equal(access(shared, F_OK), 0);
}

static void expect_same_issuer(X509 *first, X509 *other)
{
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(first), X509_get_subject_name(other)), 0);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(first), X509_get0_pubkey(other)), 1);
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(first), X509_get0_subject_key_id(other)), 0);
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(first), X509_get0_notAfter(other)), 0);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(first), X509_get0_serialNumber(other)), 0);
}

static void test_cross_signed_intermediates(void **state)
{
    AUTO(ca) ca = open_with(*state, 2);
    assert_int_equal(ca_chain_count(ca), 3);
    AUTO_TYPE(X509) first = test_pem_cert(ca_chain_pem(ca, 0));
    for (size_t n = 1; n < 3; n++) {
        AUTO_TYPE(X509) root = test_pem_cert(ca_root_pem(ca, n));
        AUTO_TYPE(X509) other = test_pem_cert(ca_chain_pem(ca, n));
        expect_same_issuer(first, other);
        assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
        assert_int_equal(X509_check_issued(root, other), X509_V_OK);
        assert_int_equal(X509_verify(other, X509_get0_pubkey(root)), 1);
        assert_int_not_equal(X509_verify(first, X509_get0_pubkey(root)), 1);
        test_expect_extension(other, NID_key_usage, 1, "03:02:01:86");
        test_expect_extension(other, NID_basic_constraints, 1, "30:06:01:01:FF:02:01:00");
        assert_int_equal(X509_get_ext_count(other), 4);
    }
    assert_string_not_equal(ca_root_pem(ca, 1), ca_root_pem(ca, 2));
}

static X509 *sign_leaf(struct ca *ca)
{
    AUTO_TYPE(EVP_PKEY) key = test_key("EC", "P-256");
    struct csr *csr = test_csr(&(struct request_recipe) { .key = key, .alternative_names = "DNS:a.test" });
    const struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    struct ca_request request = { .csr = csr,
                                  .identifiers = &name,
                                  .identifier_count = 1,
                                  .serial = "01234567890123456789012345678901",
                                  .not_before_ms = NOW_MS,
                                  .not_after_ms = NOW_MS + 86400000 };
    test_sign(ca, &request);
    assert_int_equal(request.status, CA_OK);
    const unsigned char *der = request.der;
    X509 *leaf = d2i_X509(NULL, &der, (long)request.der_len);
    OPENSSL_free(request.der);
    csr_drop(csr);
    return leaf;
}

static void expect_path(struct ca *ca, size_t root_of, size_t chain, X509 *leaf, int good)
{
    AUTO_TYPE(X509) root = test_pem_cert(ca_root_pem(ca, root_of));
    AUTO_TYPE(X509) intermediate = test_pem_cert(ca_chain_pem(ca, chain));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_true(sk_X509_push(between, intermediate) > 0);
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, between), 1);
    X509_STORE_CTX_set_time(context, 0, (time_t)(NOW_MS / 1000 + 60));
    assert_int_equal(X509_verify_cert(context) == 1, good);
    sk_X509_free(between);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
}

static void test_one_leaf_lies_under_every_root(void **state)
{
    AUTO(ca) ca = open_with(*state, 2);
    AUTO_TYPE(X509) leaf = sign_leaf(ca);
    for (size_t root = 0; root < 3; root++)
        for (size_t chain = 0; chain < 3; chain++)
            expect_path(ca, root, chain, leaf, root == chain);
}

static void test_raising_the_number_adds_chains(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) none = open_with(fixture, 0);
    fixture->clock.now_ms += YEAR_MS;
    fixture->options.key_type = CA_KEY_P384;
    AUTO(ca) two = open_with(fixture, 2);
    AUTO(ca) three = open_with(fixture, 3);
    assert_string_equal(ca_chain_pem(two, 0), ca_chain_pem(none, 0));
    for (size_t n = 0; n < 3; n++) {
        assert_string_equal(ca_root_pem(three, n), ca_root_pem(two, n));
        assert_string_equal(ca_chain_pem(three, n), ca_chain_pem(two, n));
    }
    AUTO_TYPE(X509) first = test_pem_cert(ca_chain_pem(three, 0));
    AUTO_TYPE(X509) last = test_pem_cert(ca_chain_pem(three, 3));
    expect_same_issuer(first, last);
    assert_string_equal(ca_issuer_id(three), ca_issuer_id(none));
}

static void test_lowering_the_number_leaves_files_alone(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) before = open_with(fixture, 1);
    write_text(fixture, "root-2.pem", "?", 1);
    AUTO(ca) none = open_with(fixture, 0);
    assert_int_equal(ca_chain_count(none), 1);
    AUTO(ca) after = open_with(fixture, 1);
    assert_string_equal(ca_chain_pem(after, 1), ca_chain_pem(before, 1));
}

static void test_in_memory(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.directory = NULL;
    AUTO(ca) ca = open_with(fixture, CA_ALTERNATES_MAX);
    assert_int_equal(ca_chain_count(ca), 1 + CA_ALTERNATES_MAX);
    assert_int_not_equal(access(fixture->directory, F_OK), 0);
    AUTO_TYPE(X509) first = test_pem_cert(ca_chain_pem(ca, 0));
    AUTO_TYPE(X509) last = test_pem_cert(ca_chain_pem(ca, CA_ALTERNATES_MAX));
    expect_same_issuer(first, last);
}

static void test_refuses_each_missing_or_damaged_file(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_with(fixture, 1));
    for (size_t i = 0; i < ARRAY_SIZE(own_files); i++) {
        char phrase[64];
        write_text(fixture, "aside", "-----BEGIN CERTIFICATE-----\n", 28);
        swap(fixture, own_files[i], "aside");
        snprintf(phrase, sizeof phrase, "%s does not hold", own_files[i]);
        expect_chain_advice(fixture, phrase);
        move_away(fixture, own_files[i]);
        snprintf(phrase, sizeof phrase, "%s is missing", own_files[i]);
        expect_chain_advice(fixture, phrase);
        char path[128], aside[128];
        path_of(fixture, own_files[i], path);
        path_of(fixture, "aside", aside);
        assert_int_equal(rename(aside, path), 0);
    }
    ca_drop(open_good(fixture));
}

static void test_refuses_an_intermediate_of_another_root(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_with(fixture, 2));
    swap(fixture, "intermediate-1.pem", "intermediate-2.pem");
    expect_chain_advice(fixture, "intermediate-1.pem is not signed by root-1.pem");
}

static void test_refuses_chains_of_another_authority(void **state)
{
    static const char *const defaults[] = { "root.pem", "root-key.pem", "intermediate.pem", "intermediate-key.pem" };
    struct fixture *fixture = *state;
    ca_drop(open_with(fixture, 1));
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        move_away(fixture, defaults[i]);
    expect_chain_advice(fixture, "intermediate-key.pem is not the key of intermediate-1.pem");
    for (size_t i = 0; i < ARRAY_SIZE(own_files); i++)
        move_away(fixture, own_files[i]);
    ca_drop(open_good(fixture));
}

/* intermediate.pem made anew for the same key under another subject, by the same root */
static void test_refuses_another_subject(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) ca = open_with(fixture, 1);
    AUTO_TYPE(X509) cert = test_pem_cert(ca_chain_pem(ca, 1));
    char path[128];
    path_of(fixture, "root-key-1.pem", path);
    AUTO_TYPE(BIO) in = BIO_new_file(path, "r");
    AUTO_TYPE(EVP_PKEY) key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8, (const uint8_t *)"x", 1, -1,
                               0);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    AUTO_TYPE(BIO) pem = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(pem, cert), 1);
    long len = BIO_get_mem_data(pem, &text);
    write_text(fixture, "intermediate-1.pem", text, (size_t)len);
    expect_chain_advice(fixture, "intermediate-1.pem has another subject or key identifier than intermediate.pem");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_without_alternates_there_is_one_chain),
        CASE(test_each_chain_has_files),
        CASE(test_cross_signed_intermediates),
        CASE(test_one_leaf_lies_under_every_root),
        CASE(test_raising_the_number_adds_chains),
        CASE(test_lowering_the_number_leaves_files_alone),
        CASE(test_in_memory),
        CASE(test_refuses_each_missing_or_damaged_file),
        CASE(test_refuses_an_intermediate_of_another_root),
        CASE(test_refuses_chains_of_another_authority),
        CASE(test_refuses_another_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
