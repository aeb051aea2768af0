#include "tests/ca/support.h"

struct fixture {
    EVP_PKEY *key;
    char why[CSR_WHY_SIZE];
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

static void expect_names(void **state, const char *common_name, const char *names, enum csr_status want,
                         const char *phrase)
{
    struct fixture *fixture = *state;
    test_expect_request(test_request(&(struct request_recipe) { fixture->key, common_name, names, NULL }), want,
                        phrase);
}

static void test_names_are_sorted_unique_and_canonical(void **state)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, "M.Example.Test",
                                     "DNS:z.test,DNS:*.A.test,DNS:z.TEST,IP:192.0.2.1,IP:2001:DB8:0::1", NULL };
    AUTO(csr) csr = test_csr(&recipe);
    static const char *const want[] = { "*.a.test", "m.example.test", "z.test", "192.0.2.1", "2001:db8::1" };
    size_t count;
    const struct acme_identifier *got = csr_identifiers(csr, &count);
    assert_int_equal(count, ARRAY_SIZE(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(got[i].value, want[i]);
        assert_int_equal(got[i].type, i < 3 ? IDENTIFIER_DNS : IDENTIFIER_IP);
    }
    assert_string_equal(csr_common_name(csr), "m.example.test");
}

static void expect_only_name(void **state, const char *common_name, enum acme_identifier_type type, const char *want)
{
    struct fixture *fixture = *state;
    AUTO(csr) csr = test_csr(&(struct request_recipe) { fixture->key, common_name, NULL, NULL });
    size_t count;
    const struct acme_identifier *names = csr_identifiers(csr, &count);
    assert_int_equal(count, 1);
    assert_int_equal(names[0].type, type);
    assert_string_equal(names[0].value, want);
}

/* [8555-7.4-7] */
static void test_common_name_alone_becomes_the_name(void **state)
{
    expect_only_name(state, "a.test", IDENTIFIER_DNS, "a.test");
    expect_only_name(state, "192.0.2.7", IDENTIFIER_IP, "192.0.2.7");
    expect_only_name(state, "2001:DB8::7", IDENTIFIER_IP, "2001:db8::7");
}

static void test_common_name_is_absent_without_one(void **state)
{
    struct fixture *fixture = *state;
    AUTO(csr) csr = test_csr(&(struct request_recipe) { fixture->key, NULL, "DNS:a.test", NULL });
    assert_null(csr_common_name(csr));
}

/* X509_NAME_add_entry_by_NID refuses no bytes and more than 64. */
static void add_raw_common_name(X509_REQ *request, const char *name)
{
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, V_ASN1_UTF8STRING,
                                                           (const unsigned char *)name, (int)strlen(name));
    assert_int_equal(X509_NAME_add_entry(X509_REQ_get_subject_name(request), entry, -1, 0), 1);
    X509_NAME_ENTRY_free(entry);
}

static bool long_common_name_promoted(struct fixture *fixture, const char *name)
{
    struct request_recipe recipe = { fixture->key, NULL, NULL, NULL };
    AUTO_TYPE(X509_REQ) request = test_request(&recipe);
    add_raw_common_name(request, name);
    test_request_sign(request, &recipe);
    AUTO_DER der = test_encode(request);
    AUTO(csr) csr = NULL;
    assert_int_equal(csr_parse(bytes_of(der.data, der.len), &csr, fixture->why), CSR_OK);
    size_t count;
    assert_string_equal(csr_identifiers(csr, &count)[0].value, name);
    return csr_common_name(csr) != NULL;
}

static void test_a_common_name_is_promoted_up_to_64_bytes(void **state)
{
    static const char name64[] = "a23456789012345678901234567890.b2345678901234567890123456.c.test";
    static const char name65[] = "a23456789012345678901234567890.b23456789012345678901234567.c.test";
    assert_int_equal(sizeof name64, 64 + 1);
    assert_true(long_common_name_promoted(*state, name64));
    assert_false(long_common_name_promoted(*state, name65));
}

static void test_unknown_extensions_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    X509_EXTENSION *must_staple = X509V3_EXT_conf_nid(NULL, NULL, NID_tlsfeature, "status_request");
    X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.test");
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(list, must_staple);
    sk_X509_EXTENSION_push(list, ca);
    sk_X509_EXTENSION_push(list, names);
    struct request_recipe recipe = { fixture->key, NULL, NULL, NULL };
    AUTO_TYPE(X509_REQ) request = test_request(&recipe);
    X509_REQ_add_extensions(request, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    test_request_sign(request, &recipe);
    AUTO_DER der = test_encode(request);
    AUTO(csr) csr = NULL;
    assert_int_equal(csr_parse(bytes_of(der.data, der.len), &csr, fixture->why), CSR_OK);
}

static void test_refuses_other_name_forms(void **state)
{
    expect_names(state, NULL, "DNS:a.test,email:me@a.test", CSR_BAD_NAME, "neither a DNS name nor an IP address");
    expect_names(state, NULL, "URI:https://a.test/", CSR_BAD_NAME, "neither a DNS name nor an IP address");
    expect_names(state, NULL, "RID:1.2.3.4", CSR_BAD_NAME, "neither a DNS name nor an IP address");
}

static void test_refuses_bad_names(void **state)
{
    expect_names(state, NULL, "DNS:a..test", CSR_BAD_NAME, "has the name \"a..test\", which cannot be certified: ");
    expect_names(state, NULL, "DNS:a.*.test", CSR_BAD_NAME, "cannot be certified");
    expect_names(state, NULL, "DNS:192.0.2.1", CSR_BAD_NAME, "cannot be certified");
    expect_names(state, NULL, "DNS:a b.test", CSR_BAD_NAME, "has a name that cannot be certified");
    expect_names(state, "My Company", "DNS:a.test", CSR_BAD_NAME, "cannot be certified");
}

/* [8555-7.4-7] */
static void test_refuses_no_names(void **state)
{
    expect_names(state, NULL, NULL, CSR_MALFORMED, "names nothing");
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, NULL, NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    add_raw_common_name(request, "");
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_MALFORMED, "names nothing");
}

static void add_names(struct buf *out, int count)
{
    for (int i = 0; i < count; i++)
        buf_printf(out, "%sDNS:n%d.test", i == 0 ? "" : ",", i);
}

static void test_hundred_names_and_not_one_more(void **state)
{
    struct fixture *fixture = *state;
    AUTO_BUF(names, 4096);
    add_names(&names, CSR_MAX_NAMES);
    AUTO(csr) csr = test_csr(&(struct request_recipe) { fixture->key, "n7.test", buf_str(&names), NULL });
    size_t count;
    csr_identifiers(csr, &count);
    assert_int_equal(count, CSR_MAX_NAMES);
    expect_names(state, "another.test", buf_str(&names), CSR_BAD_NAME, "more than 100 names");
    buf_clear(&names);
    add_names(&names, CSR_MAX_NAMES + 1);
    expect_names(state, NULL, buf_str(&names), CSR_BAD_NAME, "more than 100 names");
}

static void test_refuses_two_common_names(void **state)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, "a.test", NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)"b.test", -1, -1, 0);
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_BAD_NAME, "more than one common name");
}

static X509_REQ *request_named(void **state, int type, const char *name, int len)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, NULL, NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    X509_NAME_ENTRY *entry =
        X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, type, (const unsigned char *)name, len);
    assert_int_equal(X509_NAME_add_entry(X509_REQ_get_subject_name(request), entry, -1, 0), 1);
    X509_NAME_ENTRY_free(entry);
    test_request_sign(request, &recipe);
    return request;
}

static void test_a_common_name_is_any_kind_of_text(void **state)
{
    static const struct {
        int type, len;
        const char *name;
    } kinds[] = {
        { V_ASN1_PRINTABLESTRING, 6, "a.test" },
        { V_ASN1_IA5STRING, 6, "a.test" },
        { V_ASN1_T61STRING, 6, "a.test" },
        { V_ASN1_BMPSTRING, 12, "\0a\0.\0t\0e\0s\0t" },
        { V_ASN1_UNIVERSALSTRING, 24, "\0\0\0a\0\0\0.\0\0\0t\0\0\0e\0\0\0s\0\0\0t" },
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        AUTO_TYPE(X509_REQ) request = request_named(state, kinds[i].type, kinds[i].name, kinds[i].len);
        AUTO_DER der = test_encode(request);
        AUTO(csr) csr = NULL;
        assert_int_equal(csr_parse(bytes_of(der.data, der.len), &csr, fixture->why), CSR_OK);
        assert_string_equal(csr_common_name(csr), "a.test");
    }
}

enum { ED25519_TAIL = 74, ED25519_SIGNATURE = 64 }; /* from the signature's algorithm on */

/* A common name "ab" whose tag becomes `tag`, which OpenSSL would not write. */
static void expect_not_text(uint8_t tag, size_t name_len)
{
    AUTO_TYPE(EVP_PKEY) key = test_key("ED25519", NULL);
    AUTO_DER der = test_request_der(&(struct request_recipe) { key, name_len == 2 ? "ab" : "abc", NULL, NULL });
    uint8_t *name = memmem(der.data, der.len, "\x55\x04\x03\x0c", 4);
    assert_true(name != NULL && der.data[1] == 0x81);
    name[3] = tag;
    size_t len = ED25519_SIGNATURE;
    AUTO_TYPE(EVP_MD_CTX) context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der.data + der.len - len, &len, der.data + 3, der.len - 3 - ED25519_TAIL),
                     1);
    test_expect_csr(bytes_of(der.data, der.len), CSR_BAD_NAME, "has a common name that is not text");
}

static void test_refuses_a_common_name_that_is_not_text(void **state)
{
    (void)state;
    expect_not_text(V_ASN1_BIT_STRING, 2);
    expect_not_text(V_ASN1_INTEGER, 2);
    expect_not_text(0x30, 2);
    expect_not_text(0x8c, 2);
    expect_not_text(V_ASN1_BMPSTRING, 3);
}

static X509_EXTENSION *alternative_names_of(const void *value, int len)
{
    ASN1_OCTET_STRING *text = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(text, value, len);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, text);
    ASN1_OCTET_STRING_free(text);
    return extension;
}

static void expect_extensions(void **state, X509_EXTENSION *first, X509_EXTENSION *second, const char *phrase,
                              enum csr_status want)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, "a.test", NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(list, first);
    if (second != NULL)
        sk_X509_EXTENSION_push(list, second);
    X509_REQ_add_extensions(request, list);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    test_request_sign(request, &recipe);
    test_expect_request(request, want, phrase);
}

static void test_refuses_damaged_alternative_names(void **state)
{
    static const char unreadable[] = "has a subjectAltName extension that cannot be read";
    expect_extensions(state, alternative_names_of("\x30\x00", 2), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x03\x82\x01\x61\x00", 6), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x09\x82\x01\x61", 5), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x04\x82\x01\x61\x82", 6), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x04\x82\x81\x01\x61", 6), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x05\xa2\x03\x16\x01\x61", 7), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x03\x89\x01\x61", 5), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x03\xc2\x01\x61", 5), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x31\x03\x82\x01\x61", 5), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("", 0), NULL, unreadable, CSR_MALFORMED);
    expect_extensions(state, alternative_names_of("\x30\x05\x87\x03\x01\x02\x03", 7), NULL, "IP address of 3 bytes",
                      CSR_BAD_NAME);
    expect_extensions(state, alternative_names_of("\x30\x05\x82\x03\x61\x00\x62", 7), NULL, "zero byte", CSR_BAD_NAME);
}

static void test_refuses_two_alternative_name_extensions(void **state)
{
    static const char names[] = "\x30\x03\x82\x01\x61";
    expect_extensions(state, alternative_names_of(names, 5), alternative_names_of(names, 5),
                      "two subjectAltName extensions", CSR_MALFORMED);
}

/* OpenSSL makes no such request: a countersignature becomes the second one. */
static void test_refuses_two_extension_requests(void **state)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, NULL, "DNS:a.test", NULL };
    AUTO_TYPE(X509_REQ) request = test_request(&recipe);
    ASN1_STRING *value = X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(request, 0), 0)->value.sequence;
    X509_REQ_add1_attr_by_NID(request, NID_pkcs9_countersignature, V_ASN1_SEQUENCE, value->data, value->length);
    test_request_sign(request, &recipe);
    AUTO_DER der = test_encode(request);
    uint8_t *oid = memmem(der.data, der.len, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06", 9);
    assert_non_null(oid);
    oid[8] = 0x0e;
    const unsigned char *at = der.data;
    X509_REQ *twice = d2i_X509_REQ(NULL, &at, (long)der.len);
    test_request_sign(twice, &recipe);
    test_expect_request(twice, CSR_MALFORMED, "two extensionRequest attributes");
}

static void expect_extension_request(void **state, int type, const void *value, int len)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, "a.test", NULL, NULL };
    X509_REQ *request = test_request(&recipe);
    assert_int_equal(X509_REQ_add1_attr_by_NID(request, NID_ext_req, type, value, len), 1);
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_MALFORMED, "has an extensionRequest attribute that cannot be read");
}

static void test_refuses_damaged_extension_requests(void **state)
{
    expect_extension_request(state, V_ASN1_UTF8STRING, "x", 1);
    static const struct {
        int len;
        const char *extensions;
    } damaged[] = {
        { 4, "\x30\x02\x05\x00" },                              /* not a list of extensions */
        { 7, "\x30\x05\x30\x03\x06\x01\x2a" },                  /* no value */
        { 6, "\x30\x04\x30\x03\x06\x01" },                      /* cut off inside */
        { 9, "\x30\x07\x30\x05\x06\x01\x2a\x05\x00" },          /* a value that is no OCTET STRING */
        { 11, "\x30\x09\x30\x07\x06\x01\x2a\x04\x00\x05\x00" }, /* and one more */
        { 10, "\x30\x08\x30\x81\x05\x06\x01\x2a\x04\x00" },     /* BER */
    };
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
        expect_extension_request(state, V_ASN1_SEQUENCE, damaged[i].extensions, damaged[i].len);
}

static void test_refuses_an_extension_request_of_two_values(void **state)
{
    struct fixture *fixture = *state;
    struct request_recipe recipe = { fixture->key, NULL, "DNS:a.test", NULL };
    X509_REQ *request = test_request(&recipe);
    X509_ATTRIBUTE *attribute = X509_REQ_get_attr(request, 0);
    assert_int_equal(X509_ATTRIBUTE_set1_data(attribute, V_ASN1_SEQUENCE, "\x30\x00", 2), 1);
    test_request_sign(request, &recipe);
    test_expect_request(request, CSR_MALFORMED, "has an extensionRequest attribute that cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_sorted_unique_and_canonical),
        cmocka_unit_test(test_common_name_alone_becomes_the_name),
        cmocka_unit_test(test_common_name_is_absent_without_one),
        cmocka_unit_test(test_a_common_name_is_promoted_up_to_64_bytes),
        cmocka_unit_test(test_unknown_extensions_are_ignored),
        cmocka_unit_test(test_refuses_other_name_forms),
        cmocka_unit_test(test_refuses_bad_names),
        cmocka_unit_test(test_refuses_no_names),
        cmocka_unit_test(test_hundred_names_and_not_one_more),
        cmocka_unit_test(test_refuses_two_common_names),
        cmocka_unit_test(test_a_common_name_is_any_kind_of_text),
        cmocka_unit_test(test_refuses_a_common_name_that_is_not_text),
        cmocka_unit_test(test_refuses_damaged_alternative_names),
        cmocka_unit_test(test_refuses_two_alternative_name_extensions),
        cmocka_unit_test(test_refuses_two_extension_requests),
        cmocka_unit_test(test_refuses_damaged_extension_requests),
        cmocka_unit_test(test_refuses_an_extension_request_of_two_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
