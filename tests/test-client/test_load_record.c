#include "base/encode.h"
#include "test-client/chain.h"
#include "test-client/key.h"
#include "test-client/load_record.h"
#include "tests/unit.h"

#include <openssl/pem.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 10 };

struct fixture {
    char path[64];
    FILE *record;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/caraway-record-XXXXXX");
    close(mkstemp(f->path));
    f->record = tc_load_record_open(f->path);
    assert_non_null(f->record);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fclose(f->record);
    unlink(f->path);
    free(f);
    return 0;
}

/* What is in the file now, while the record is still open. */
static void assert_record(const struct fixture *f, const char *expected)
{
    static char text[TEXT_MAX];
    FILE *file = fopen(f->path, "re");
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void acknowledgements_are_lines_at_once(void **state)
{
    struct fixture *f = *state;
    tc_load_record_progress(f->record, "directory", "https://ca/directory", "");
    tc_load_record_progress(f->record, "account", "https://ca/account/1", "");
    assert_record(f, "account https://ca/account/1\n");
    tc_load_record_progress(f->record, "order", "https://ca/order/2", "a.test");
    tc_load_record_progress(f->record, "http-01", "a.test", "a.test");
    tc_load_record_progress(f->record, "valid", "a.test", "a.test");
    tc_load_record_progress(f->record, "finalize", "https://ca/order/2/finalize", "a.test");
    assert_record(f, "account https://ca/account/1\norder https://ca/order/2 a.test\nvalid a.test\n");
}

static void a_record_is_appended_to(void **state)
{
    struct fixture *f = *state;
    tc_load_record_progress(f->record, "account", "1", "");
    FILE *again = tc_load_record_open(f->path);
    tc_load_record_progress(again, "account", "2", "");
    fclose(again);
    assert_record(f, "account 1\naccount 2\n");
}

static void a_certificate_comes_with_its_bytes(void **state)
{
    struct fixture *f = *state;
    AUTO_TYPE(EVP_PKEY) key = tc_key_make(TC_KEY_P256);
    AUTO_TYPE(X509) certificate = X509_new();
    AUTO_TYPE(BIO) sink = BIO_new(BIO_s_mem());
    AUTO_BUF(expected, TEXT_MAX);
    uint8_t *der = NULL;
    char *pem;
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20300102030405Z");
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, crypto_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(sink, certificate), 1);
    long pem_len = BIO_get_mem_data(sink, &pem);
    int der_len = i2d_X509(certificate, &der);
    buf_text(&expected, "certificate https://ca/certificate/3 a.test ");
    buf_b64url(&expected, bytes_of(der, (size_t)der_len));
    buf_char(&expected, '\n');
    OPENSSL_free(der);
    tc_load_record_certificate(f->record, "https://ca/certificate/3", "a.test", bytes_text("no certificate"));
    tc_load_record_certificate(f->record, "https://ca/certificate/3", "a.test", bytes_of(pem, (size_t)pem_len));
    assert_record(f, buf_str(&expected));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(acknowledgements_are_lines_at_once),
        CASE(a_record_is_appended_to),
        CASE(a_certificate_comes_with_its_bytes),
    };
    return cmocka_run_group_tests_name("load record", tests, NULL, NULL);
}
