#include "test-client/csr_make.h"
#include "tests/unit.h"

#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

static const struct {
    const char *type, *argument;
    size_t bits;
} kinds[] = { { "EC", "P-256", 0 }, { "EC", "P-384", 0 }, { "RSA", NULL, 2048 }, { "ED25519", NULL, 0 } };

static EVP_PKEY *make_key(size_t kind)
{
    EVP_PKEY *key;
    if (kinds[kind].argument != NULL)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].type, kinds[kind].argument);
    else if (kinds[kind].bits != 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].type, kinds[kind].bits);
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].type);
    assert_non_null(key);
    return key;
}

/* Read by OpenSSL, with nothing behind it. */
static X509_REQ *read_back(const struct buf *der)
{
    const uint8_t *at = (const uint8_t *)der->data;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der->len);
    assert_non_null(request);
    assert_ptr_equal(at, (const uint8_t *)der->data + der->len);
    return request;
}

static void expect_names(X509_REQ *request, const char *names)
{
    char text[8192] = "";
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
    AUTO_TYPE(BIO) sink = BIO_new(BIO_s_mem());
    assert_int_equal(X509V3_EXT_print(sink, sk_X509_EXTENSION_value(extensions, 0), 0, 0), 1);
    assert_true(BIO_read(sink, text, sizeof text - 1) > 0);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_string_equal(text, names);
}

static void requests_of_every_key_type_hold(void **state)
{
    (void)state;
    const struct acme_identifier names[] = { { IDENTIFIER_DNS, "*.example.test" },
                                             { IDENTIFIER_IP, "127.0.0.1" },
                                             { IDENTIFIER_IP, "2001:db8::1" } };
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        AUTO_TYPE(EVP_PKEY) key = make_key(kind);
        AUTO(tc_csr_key) csr_key = tc_csr_key_create(key);
        AUTO_BUF(der, TC_CSR_MAX);
        assert_non_null(csr_key);
        assert_true(tc_csr_make(csr_key, names, ARRAY_SIZE(names), &der));
        AUTO_TYPE(X509_REQ) request = read_back(&der);
        assert_int_equal(X509_REQ_verify(request, key), 1);
        assert_int_equal(X509_REQ_check_private_key(request, key), 1);
        assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
        expect_names(request, "DNS:*.example.test, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1");
    }
}

/* 1, 2 and 3 length octets at every level of the structure */
static void lengths_are_right_from_one_name_to_many(void **state)
{
    (void)state;
    enum { MOST = 1500 };
    static char texts[MOST][64];
    static struct acme_identifier names[MOST];
    for (size_t i = 0; i < MOST; i++) {
        snprintf(texts[i], sizeof texts[i], "name-%zu.a-rather-long-label-for-a-test.example.test", i);
        names[i] = (struct acme_identifier) { IDENTIFIER_DNS, texts[i] };
    }
    AUTO_TYPE(EVP_PKEY) key = make_key(0);
    AUTO(tc_csr_key) csr_key = tc_csr_key_create(key);
    for (size_t count = 1; count <= MOST; count = count < 12 ? count + 1 : count * 3 / 2) {
        AUTO_BUF(der, TC_CSR_MAX);
        assert_true(tc_csr_make(csr_key, names, count, &der));
        AUTO_TYPE(X509_REQ) request = read_back(&der);
        assert_int_equal(X509_REQ_verify(request, key), 1);
    }
}

static void it_is_appended_and_may_not_fit(void **state)
{
    (void)state;
    const struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    AUTO_TYPE(EVP_PKEY) key = make_key(0);
    AUTO(tc_csr_key) csr_key = tc_csr_key_create(key);
    AUTO_BUF(behind, TC_CSR_MAX);
    buf_text(&behind, "x");
    assert_true(tc_csr_make(csr_key, &name, 1, &behind));
    assert_int_equal(behind.data[0], 'x');
    assert_int_equal(behind.data[1], 0x30);
    for (size_t most = 0; most < 200; most++) {
        AUTO_BUF(small, most);
        assert_false(tc_csr_make(csr_key, &name, 1, &small));
    }
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    const struct acme_identifier name = { IDENTIFIER_IP, "127.0.0.256" };
    AUTO_TYPE(EVP_PKEY) key = make_key(0);
    AUTO(tc_csr_key) csr_key = tc_csr_key_create(key);
    AUTO_BUF(der, TC_CSR_MAX);
    assert_false(tc_csr_make(csr_key, &name, 1, &der));
}

static void a_key_that_cannot_sign_requests_is_refused(void **state)
{
    (void)state;
    AUTO_TYPE(EVP_PKEY) key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    assert_non_null(key);
    assert_null(tc_csr_key_create(key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_every_key_type_hold),
        cmocka_unit_test(lengths_are_right_from_one_name_to_many),
        cmocka_unit_test(it_is_appended_and_may_not_fit),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(a_key_that_cannot_sign_requests_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
