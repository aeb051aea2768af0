#include "tests/ca/support.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_MS INT64_C(1760000000000)
#define DAY_MS INT64_C(86400000)

static const char *const localhost[] = { "localhost", "127.0.0.1", "::1" };

struct fixture {
    struct world_manual clock;
    struct world world;
    char folder[TEST_FOLDER_SIZE];
    char directory[TEST_FOLDER_SIZE + 8];
    struct ca_tls first; /* opened with the names of localhost */
    char why[CA_WHY_SIZE];
};

static struct ca_tls open_names(struct fixture *fixture, const char *const *names, size_t count)
{
    struct ca_tls tls = { 0 };
    if (!ca_tls_open(fixture->directory, names, count, &fixture->world, &tls, fixture->why))
        fail_msg("%s", fixture->why);
    return tls;
}

static struct ca_tls open_again(struct fixture *fixture)
{
    return open_names(fixture, localhost, ARRAY_SIZE(localhost));
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world = world_manual(&fixture->clock, NOW_MS);
    test_folder_make(fixture->folder);
    snprintf(fixture->directory, sizeof fixture->directory, "%s/tls", fixture->folder);
    fixture->first = open_again(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ca_tls_clear(&fixture->first);
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

enum expectation { KEPT, MADE_ANEW };

static void expect_text(const char *got, const char *before, enum expectation expectation)
{
    assert_int_equal(strcmp(got, before) != 0, expectation == MADE_ANEW);
}

static void expect_reopened(struct fixture *fixture, enum expectation authority, enum expectation leaf)
{
    struct ca_tls again = open_again(fixture);
    expect_text(again.ca_pem, fixture->first.ca_pem, authority);
    expect_text(again.cert_pem, fixture->first.cert_pem, leaf);
    expect_text(again.key_pem, fixture->first.key_pem, leaf);
    ca_tls_clear(&again);
}

static void expect_refused(struct fixture *fixture, const char *phrase)
{
    struct ca_tls tls = { 0 };
    assert_false(
        ca_tls_open(fixture->directory, localhost, ARRAY_SIZE(localhost), &fixture->world, &tls, fixture->why));
    assert_null(tls.ca_pem);
    if (strstr(fixture->why, phrase) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", fixture->why, phrase);
}

static void expect_file(struct fixture *fixture, const char *name, const char *text, mode_t mode)
{
    char path[128], got[4096];
    struct stat facts;
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    assert_int_equal(fstat(fileno(file), &facts), 0);
    fclose(file);
    if (text != NULL)
        assert_string_equal(got, text);
    assert_int_equal(facts.st_mode & 0777, mode);
}

static void remove_file(struct fixture *fixture, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    assert_int_equal(unlink(path), 0);
}

static void damage_file(struct fixture *fixture, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    assert_int_equal(truncate(path, 40), 0);
}

static void test_files_hold_what_is_given(void **state)
{
    struct fixture *fixture = *state;
    expect_file(fixture, "ca.pem", fixture->first.ca_pem, 0644);
    expect_file(fixture, "ca-key.pem", NULL, 0600);
    expect_file(fixture, "cert.pem", fixture->first.cert_pem, 0644);
    expect_file(fixture, "key.pem", fixture->first.key_pem, 0600);
}

static void test_authority_profile(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) authority = test_pem_cert(fixture->first.ca_pem);
    char name[64];
    assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(authority), NID_commonName, name, sizeof name),
                     strlen("Caraway HTTPS CA 012345"));
    assert_memory_equal(name, "Caraway HTTPS CA ", 17);
    test_expect_extension(authority, NID_basic_constraints, 1, "30:06:01:01:FF:02:01:00");
    test_expect_extension(authority, NID_key_usage, 1, "03:02:01:06");
}

static void test_leaf_profile(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) authority = test_pem_cert(fixture->first.ca_pem);
    AUTO_TYPE(X509) leaf = test_pem_cert(fixture->first.cert_pem);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(authority)), 1);
    assert_int_equal(X509_check_issued(authority, leaf), X509_V_OK);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    test_expect_extension(leaf, NID_ext_key_usage, 0, "30:0A:06:08:2B:06:01:05:05:07:03:01");
    int days, seconds;
    ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf));
    assert_int_equal(days * 86400 + seconds, 397 * 86400 - 1);
}

static void test_key_belongs_to_the_leaf(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) leaf = test_pem_cert(fixture->first.cert_pem);
    AUTO_TYPE(BIO) bio = BIO_new_mem_buf(fixture->first.key_pem, -1);
    AUTO_TYPE(EVP_PKEY) key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(X509_check_private_key(leaf, key), 1);
}

static void test_reopening_keeps_everything(void **state)
{
    expect_reopened(*state, KEPT, KEPT);
}

static void test_a_leaf_with_30_days_is_kept_and_with_less_renewed(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) leaf = test_pem_cert(fixture->first.cert_pem);
    struct tm end;
    ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &end);
    fixture->clock.now_ms = (int64_t)timegm(&end) * 1000 - 30 * DAY_MS;
    expect_reopened(fixture, KEPT, KEPT);
    fixture->clock.now_ms += 1000;
    expect_reopened(fixture, KEPT, MADE_ANEW);
}

static void test_a_leaf_from_the_future_is_renewed(void **state)
{
    struct fixture *fixture = *state;
    fixture->clock.now_ms = NOW_MS - 2 * 3600 * 1000;
    expect_reopened(fixture, KEPT, MADE_ANEW);
}

static void test_a_new_name_renews_the_leaf(void **state)
{
    static const char *const names[] = { "ca.example.test", "localhost" };
    static const char *const address[] = { "192.0.2.1" };
    struct fixture *fixture = *state;
    struct ca_tls more = open_names(fixture, names, ARRAY_SIZE(names));
    expect_text(more.ca_pem, fixture->first.ca_pem, KEPT);
    expect_text(more.cert_pem, fixture->first.cert_pem, MADE_ANEW);
    struct ca_tls fewer = open_names(fixture, names + 1, 1);
    expect_text(fewer.cert_pem, more.cert_pem, KEPT);
    struct ca_tls other = open_names(fixture, address, 1);
    expect_text(other.cert_pem, more.cert_pem, MADE_ANEW);
    ca_tls_clear(&more);
    ca_tls_clear(&fewer);
    ca_tls_clear(&other);
}

static void test_a_damaged_or_missing_leaf_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = { "cert.pem", "key.pem" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        damage_file(fixture, names[i]);
        expect_reopened(fixture, KEPT, MADE_ANEW);
        remove_file(fixture, names[i]);
        expect_reopened(fixture, KEPT, MADE_ANEW);
    }
}

static void test_an_ending_authority_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    fixture->clock.now_ms = NOW_MS + 3600 * DAY_MS;
    expect_reopened(fixture, KEPT, MADE_ANEW);
    fixture->clock.now_ms = NOW_MS + 3640 * DAY_MS;
    expect_reopened(fixture, MADE_ANEW, MADE_ANEW);
}

static void test_the_leaf_does_not_outlive_its_authority(void **state)
{
    struct fixture *fixture = *state;
    fixture->clock.now_ms = NOW_MS + 3600 * DAY_MS;
    struct ca_tls tls = open_again(fixture);
    AUTO_TYPE(X509) authority = test_pem_cert(tls.ca_pem);
    AUTO_TYPE(X509) leaf = test_pem_cert(tls.cert_pem);
    assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(leaf), X509_get0_notAfter(authority)), 0);
    ca_tls_clear(&tls);
}

static void test_a_leaf_of_another_authority_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    remove_file(fixture, "ca.pem");
    remove_file(fixture, "ca-key.pem");
    expect_reopened(fixture, MADE_ANEW, MADE_ANEW);
}

static void test_a_leaf_signed_by_another_key_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    AUTO_TYPE(X509) leaf = test_pem_cert(fixture->first.cert_pem);
    AUTO_TYPE(EVP_PKEY) other = test_key("EC", "P-256");
    assert_true(X509_sign(leaf, other, EVP_sha256()) > 0);
    char path[128];
    snprintf(path, sizeof path, "%s/cert.pem", fixture->directory);
    FILE *file = fopen(path, "wb");
    assert_int_equal(PEM_write_X509(file, leaf), 1);
    fclose(file);
    expect_reopened(fixture, KEPT, MADE_ANEW);
}

static void test_refuses_a_broken_authority(void **state)
{
    struct fixture *fixture = *state;
    damage_file(fixture, "ca.pem");
    expect_refused(fixture, "ca.pem does not hold one PEM certificate; restore it, or delete ca.pem and ca-key.pem");
    remove_file(fixture, "ca.pem");
    expect_refused(fixture, "cannot read ca.pem");
}

static void test_refuses_an_authority_without_key(void **state)
{
    struct fixture *fixture = *state;
    remove_file(fixture, "ca-key.pem");
    expect_refused(fixture, "cannot read ca-key.pem");
}

static void test_refuses_bad_and_no_names(void **state)
{
    static const char *const bad[] = { "localhost", "no_good" };
    struct fixture *fixture = *state;
    struct ca_tls tls = { 0 };
    assert_false(ca_tls_open(fixture->directory, bad, 2, &fixture->world, &tls, fixture->why));
    assert_non_null(strstr(fixture->why, "the server's certificate cannot name \"no_good\": "));
    assert_false(ca_tls_open(fixture->directory, bad, 0, &fixture->world, &tls, fixture->why));
    assert_non_null(strstr(fixture->why, "0 names"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_files_hold_what_is_given),
        CASE(test_authority_profile),
        CASE(test_leaf_profile),
        CASE(test_key_belongs_to_the_leaf),
        CASE(test_reopening_keeps_everything),
        CASE(test_a_leaf_with_30_days_is_kept_and_with_less_renewed),
        CASE(test_a_leaf_from_the_future_is_renewed),
        CASE(test_a_new_name_renews_the_leaf),
        CASE(test_a_damaged_or_missing_leaf_is_made_anew),
        CASE(test_an_ending_authority_is_made_anew),
        CASE(test_the_leaf_does_not_outlive_its_authority),
        CASE(test_a_leaf_of_another_authority_is_made_anew),
        CASE(test_a_leaf_signed_by_another_key_is_made_anew),
        CASE(test_refuses_a_broken_authority),
        CASE(test_refuses_an_authority_without_key),
        CASE(test_refuses_bad_and_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
