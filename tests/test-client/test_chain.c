#include "test-client/chain.h"
#include "test-client/key.h"
#include "tests/unit.h"

#include <openssl/pem.h>

#include <string.h>

enum { CHAIN_BYTES = 64 << 10 };

/* A self-signed certificate with serial 0x0A, valid until 2030. */
static void append_certificate(struct buf *out)
{
    AUTO_TYPE(EVP_PKEY) key = tc_key_make(TC_KEY_P256);
    AUTO_TYPE(X509) certificate = X509_new();
    assert_non_null(certificate);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 10);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const uint8_t *)"Test", -1, -1,
                               0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z");
    ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20300102030405Z");
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, crypto_sha256()) > 0);
    AUTO_TYPE(BIO) sink = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(sink, certificate), 1);
    char *pem;
    long len = BIO_get_mem_data(sink, &pem);
    buf_append(out, pem, (size_t)len);
}

#define AUTO_CHAIN(name) __attribute__((cleanup(tc_chain_clear))) struct tc_chain name = { 0 }

static void leaf_and_issuers_are_told_apart(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    AUTO_BUF(pem, CHAIN_BYTES);
    append_certificate(&pem);
    size_t leaf_len = pem.len;
    append_certificate(&pem);
    append_certificate(&pem);
    AUTO_CHAIN(chain);
    assert_true(tc_chain_read(buf_bytes(&pem), &chain, why));
    assert_int_equal(chain.leaf_pem.len, leaf_len);
    assert_int_equal(chain.issuers.len, pem.len - leaf_len);
    assert_int_equal(chain.issuer_count, 2);
    AUTO_BUF(text, 1000);
    tc_chain_describe(&chain, &text);
    assert_string_equal(buf_str(&text), "serial 0A, valid until 2030-01-02T03:04:05Z, issued by /CN=Test");
}

static void a_leaf_alone_is_a_chain(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    AUTO_BUF(pem, CHAIN_BYTES);
    append_certificate(&pem);
    AUTO_CHAIN(chain);
    assert_true(tc_chain_read(buf_bytes(&pem), &chain, why));
    assert_int_equal(chain.issuers.len, 0);
}

static void no_truncation_is_a_chain(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    AUTO_BUF(pem, CHAIN_BYTES);
    append_certificate(&pem);
    for (size_t len = 0; len < pem.len - 2; len++) {
        AUTO_CHAIN(chain);
        assert_false(tc_chain_read(bytes_of(pem.data, len), &chain, why));
    }
}

static void what_follows_must_be_certificates(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    AUTO_BUF(pem, CHAIN_BYTES);
    append_certificate(&pem);
    buf_text(&pem, "and more\n");
    AUTO_CHAIN(chain);
    assert_false(tc_chain_read(buf_bytes(&pem), &chain, why));
    assert_string_equal(why, "the server's chain holds something that is no certificate");
}

static void a_chain_has_an_end(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    AUTO_BUF(pem, CHAIN_BYTES);
    for (int i = 0; i < TC_CHAIN_MAX + 2; i++)
        append_certificate(&pem);
    AUTO_CHAIN(chain);
    assert_false(tc_chain_read(buf_bytes(&pem), &chain, why));
    assert_string_equal(why, "the server's chain is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf_and_issuers_are_told_apart),
        cmocka_unit_test(a_leaf_alone_is_a_chain),
        cmocka_unit_test(no_truncation_is_a_chain),
        cmocka_unit_test(what_follows_must_be_certificates),
        cmocka_unit_test(a_chain_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
