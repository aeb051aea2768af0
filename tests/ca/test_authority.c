#include "tests/ca/authority_fixture.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const file_names[] = { "root.pem", "root-key.pem", "intermediate.pem", "intermediate-key.pem" };

static void write_cert(struct fixture *fixture, const char *name, X509 *cert)
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "wb");
    assert_int_equal(PEM_write_X509(file, cert), 1);
    fclose(file);
}

static void write_key(struct fixture *fixture, const char *name, EVP_PKEY *key, const char *passphrase)
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "wb");
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, passphrase == NULL ? NULL : EVP_aes_128_cbc(), passphrase,
                                               passphrase == NULL ? 0 : (int)strlen(passphrase), NULL, NULL),
                     1);
    fclose(file);
}

static EVP_PKEY *read_key(struct fixture *fixture, const char *name)
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "rb");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    return key;
}

static void test_first_start_makes_four_files(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
        char path[128];
        struct stat facts;
        path_of(fixture, file_names[i], path);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, strstr(path, "key") != NULL ? 0600 : 0644);
    }
}

static void expect_name(X509_NAME *name, const char *common_name)
{
    char text[128];
    X509_NAME_get_text_by_NID(name, NID_organizationName, text, sizeof text);
    assert_string_equal(text, "Example");
    int len = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
    assert_int_equal(len, strlen(common_name) + 6);
    assert_memory_equal(text, common_name, strlen(common_name));
    assert_int_equal(strspn(text + strlen(common_name), "0123456789abcdef"), 6);
}

static void expect_lifetime(X509 *cert, int years)
{
    int days, seconds;
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert), X509_get0_notAfter(cert)), 1);
    assert_in_range(days, years * 365, years * 365 + years / 4);
}

static void test_root_profile(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) ca = open_good(fixture);
    AUTO_TYPE(X509) root = test_pem_cert(ca_root_pem(ca, 0));
    expect_name(X509_get_subject_name(root), "Example Root CA ");
    expect_name(X509_get_issuer_name(root), "Example Root CA ");
    assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
    test_expect_extension(root, NID_key_usage, 1, "03:02:01:06");
    test_expect_extension(root, NID_basic_constraints, 1, "30:03:01:01:FF");
    assert_non_null(X509_get0_subject_key_id(root));
    assert_int_equal(X509_get_ext_count(root), 3);
    expect_lifetime(root, 30);
}

static void test_intermediate_profile(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) ca = open_good(fixture);
    AUTO_TYPE(X509) root = test_pem_cert(ca_root_pem(ca, 0));
    AUTO_TYPE(X509) intermediate = test_pem_cert(ca_chain_pem(ca, 0));
    expect_name(X509_get_subject_name(intermediate), "Example Intermediate CA ");
    assert_int_equal(X509_check_issued(root, intermediate), X509_V_OK);
    assert_int_equal(X509_verify(intermediate, X509_get0_pubkey(root)), 1);
    test_expect_extension(intermediate, NID_key_usage, 1, "03:02:01:86");
    test_expect_extension(intermediate, NID_basic_constraints, 1, "30:06:01:01:FF:02:01:00");
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(intermediate), X509_get0_subject_key_id(root)),
                     0);
    assert_int_equal(X509_get_ext_count(intermediate), 4);
    expect_lifetime(intermediate, 10);
}

static void test_texts_end_with_a_newline(void **state)
{
    AUTO(ca) ca = open_good(*state);
    static const char end[] = "-----END CERTIFICATE-----\n";
    const char *texts[] = { ca_root_pem(ca, 0), ca_chain_pem(ca, 0) };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_string_equal(texts[i] + strlen(texts[i]) - strlen(end), end);
}

static void test_issuer_id_is_the_intermediates(void **state)
{
    AUTO(ca) ca = open_good(*state);
    AUTO_TYPE(X509) intermediate = test_pem_cert(ca_chain_pem(ca, 0));
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(intermediate);
    assert_int_equal(strlen(ca_issuer_id(ca)), 40);
    char first[3];
    snprintf(first, sizeof first, "%02x", ASN1_STRING_get0_data(id)[0]);
    assert_memory_equal(ca_issuer_id(ca), first, 2);
}

static void test_reopening_keeps_the_authority(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) first = open_good(fixture);
    fixture->options.key_type = CA_KEY_P384;
    AUTO(ca) second = open_good(fixture);
    assert_string_equal(ca_root_pem(second, 0), ca_root_pem(first, 0));
    assert_string_equal(ca_chain_pem(second, 0), ca_chain_pem(first, 0));
    assert_string_equal(ca_issuer_id(second), ca_issuer_id(first));
}

static void test_without_a_directory_nothing_is_written(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.directory = NULL;
    AUTO(ca) first = open_good(fixture);
    AUTO(ca) second = open_good(fixture);
    assert_string_not_equal(ca_root_pem(first, 0), ca_root_pem(second, 0));
    assert_int_not_equal(access(fixture->directory, F_OK), 0);
}

static void test_files_of_a_crash_do_not_count(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->directory, 0700), 0);
    write_text(fixture, "root-key.pem.new", "half", 4);
    write_text(fixture, "intermediate.pem.new", "", 0);
    ca_drop(open_good(fixture));
}

static void test_refuses_each_missing_file(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
        char path[128], aside[128], phrase[64];
        path_of(fixture, file_names[i], path);
        path_of(fixture, "aside", aside);
        snprintf(phrase, sizeof phrase, "%s is missing", file_names[i]);
        assert_int_equal(rename(path, aside), 0);
        expect_advice(fixture, phrase);
        assert_int_equal(rename(aside, path), 0);
    }
    ca_drop(open_good(fixture));
}

static void test_refuses_each_damaged_file(void **state)
{
    struct fixture *fixture = *state;
    static const char damaged[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    ca_drop(open_good(fixture));
    for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
        char phrase[64];
        snprintf(phrase, sizeof phrase, "%s does not hold", file_names[i]);
        write_text(fixture, "aside", damaged, strlen(damaged));
        swap(fixture, file_names[i], "aside");
        expect_advice(fixture, phrase);
        swap(fixture, file_names[i], "aside");
    }
    ca_drop(open_good(fixture));
}

static void test_refuses_a_huge_file(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    char path[128];
    path_of(fixture, "root.pem", path);
    assert_int_equal(truncate(path, 1 << 20), 0);
    expect_advice(fixture, "cannot read root.pem in ");
}

static void test_refuses_keys_of_each_other(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    swap(fixture, "root-key.pem", "intermediate-key.pem");
    expect_advice(fixture, "root-key.pem is not the key of root.pem");
}

static void test_refuses_a_strange_intermediate_key(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    AUTO_TYPE(EVP_PKEY) key = test_key("EC", "P-256");
    write_key(fixture, "intermediate-key.pem", key, NULL);
    expect_advice(fixture, "intermediate-key.pem is not the key of intermediate.pem");
}

static void test_refuses_a_key_with_a_passphrase(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    AUTO_TYPE(EVP_PKEY) key = read_key(fixture, "root-key.pem");
    write_key(fixture, "root-key.pem", key, "secret");
    expect_advice(fixture, "root-key.pem does not hold a PEM private key without a passphrase");
}

static void test_refuses_a_root_that_is_not_self_signed(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    swap(fixture, "root.pem", "intermediate.pem");
    swap(fixture, "root-key.pem", "intermediate-key.pem");
    expect_advice(fixture, "root.pem is not signed by root.pem");
    swap(fixture, "root.pem", "intermediate.pem");
    swap(fixture, "root-key.pem", "intermediate-key.pem");
    ca_drop(open_good(fixture));
}

/* A self-signed certificate that is not of our making. */
static X509 *own_cert(EVP_PKEY *key, const char *constraints)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    X509_set_pubkey(cert, key);
    ASN1_TIME_set(X509_getm_notBefore(cert), NOW_MS / 1000 - 60);
    ASN1_TIME_set(X509_getm_notAfter(cert), NOW_MS / 1000 + 86400);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)"Another Root", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509V3_CTX context;
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extensions[] = {
        X509V3_EXT_conf_nid(NULL, &context, NID_basic_constraints, constraints),
        X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash"),
    };
    for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
        X509_add_ext(cert, extensions[i], -1);
        X509_EXTENSION_free(extensions[i]);
    }
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void put_own_root(struct fixture *fixture, EVP_PKEY *key, const char *constraints)
{
    AUTO_TYPE(X509) cert = own_cert(key, constraints);
    write_cert(fixture, "root.pem", cert);
    write_key(fixture, "root-key.pem", key, NULL);
}

static void test_refuses_another_root(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    AUTO_TYPE(EVP_PKEY) key = test_key("EC", "P-384");
    put_own_root(fixture, key, "critical,CA:TRUE");
    expect_advice(fixture, "intermediate.pem is not signed by root.pem");
}

static void test_refuses_a_root_that_is_no_authority(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    AUTO_TYPE(EVP_PKEY) key = test_key("EC", "P-256");
    put_own_root(fixture, key, "CA:FALSE");
    expect_advice(fixture, "root.pem is not a CA certificate");
}

static void test_refuses_key_types_that_are_not_ours(void **state)
{
    static const char *const types[][2] = { { "EC", "P-521" }, { "RSA", "1024" } };
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        AUTO_TYPE(EVP_PKEY) key = test_key(types[i][0], types[i][1]);
        put_own_root(fixture, key, "critical,CA:TRUE");
        expect_advice(fixture, "root-key.pem is neither P-256, P-384 nor RSA");
    }
}

static void test_refuses_two_certificates_in_one_file(void **state)
{
    struct fixture *fixture = *state;
    AUTO(ca) ca = open_good(fixture);
    AUTO_BUF(both, 65536);
    buf_printf(&both, "%s%s", ca_root_pem(ca, 0), ca_chain_pem(ca, 0));
    write_text(fixture, "root.pem", buf_str(&both), both.len);
    expect_advice(fixture, "root.pem does not hold one PEM certificate");
}

static void test_refuses_expired_authorities(void **state)
{
    struct fixture *fixture = *state;
    ca_drop(open_good(fixture));
    fixture->clock.now_ms = NOW_MS + 10 * YEAR_MS - 86400000;
    ca_drop(open_good(fixture));
    fixture->clock.now_ms = NOW_MS + 10 * YEAR_MS + 3 * 86400000;
    expect_advice(fixture, "intermediate.pem expired at 2035-");
    fixture->clock.now_ms = NOW_MS + 31 * YEAR_MS;
    expect_advice(fixture, "root.pem expired at 2055-");
}

static void test_refuses_a_directory_without_parent(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->directory, sizeof fixture->directory, "%.60s/x/ca", fixture->folder);
    expect_refused(fixture, "cannot make the directory ");
}

static void test_refuses_names_that_do_not_fit(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.directory = NULL;
    fixture->options.name = "";
    expect_refused(fixture, "1 to 40 bytes");
    fixture->options.name = "12345678901234567890123456789012345678901";
    expect_refused(fixture, "1 to 40 bytes");
    fixture->options.name++;
    ca_drop(open_good(fixture));
}

static void test_key_type_texts(void **state)
{
    (void)state;
    static const char *const texts[CA_KEY_TYPES] = { "p-256", "p-384", "rsa-2048", "rsa-4096" };
    for (int i = 0; i < CA_KEY_TYPES; i++) {
        enum ca_key_type type;
        assert_true(ca_key_type_from_text(texts[i], &type));
        assert_int_equal(type, i);
    }
    enum ca_key_type untouched = CA_KEY_P384;
    assert_false(ca_key_type_from_text("P-256", &untouched));
    assert_int_equal(untouched, CA_KEY_P384);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_first_start_makes_four_files),
        CASE(test_root_profile),
        CASE(test_intermediate_profile),
        CASE(test_texts_end_with_a_newline),
        CASE(test_issuer_id_is_the_intermediates),
        CASE(test_reopening_keeps_the_authority),
        CASE(test_without_a_directory_nothing_is_written),
        CASE(test_files_of_a_crash_do_not_count),
        CASE(test_refuses_each_missing_file),
        CASE(test_refuses_each_damaged_file),
        CASE(test_refuses_a_huge_file),
        CASE(test_refuses_keys_of_each_other),
        CASE(test_refuses_a_strange_intermediate_key),
        CASE(test_refuses_a_key_with_a_passphrase),
        CASE(test_refuses_a_root_that_is_not_self_signed),
        CASE(test_refuses_another_root),
        CASE(test_refuses_a_root_that_is_no_authority),
        CASE(test_refuses_key_types_that_are_not_ours),
        CASE(test_refuses_two_certificates_in_one_file),
        CASE(test_refuses_expired_authorities),
        CASE(test_refuses_a_directory_without_parent),
        CASE(test_refuses_names_that_do_not_fit),
        CASE(test_key_type_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
