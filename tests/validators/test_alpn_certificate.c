#include "validators/alpn_certificate.h"

#include "tests/validators/tls_server.h"

#include <stdio.h>

static bool judge(const struct tls_script *script, struct acme_identifier identifier,
                  char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    uint8_t digest[SHA256_BYTES];
    EVP_PKEY *key;
    X509 *certificate = tls_certificate(script, &key);
    why[0] = '\0';
    crypto_digest_sha256(bytes_text(KEY_AUTHORIZATION), digest);
    bool ok = val_certificate_proves(certificate, &identifier, digest, why);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok;
}

/* [8737-3-12] [8737-3-13] [8737-4-5] */
static void right_certificates(void **state)
{
    (void)state;
    char why[VAL_CERTIFICATE_WHY_SIZE];
    assert_true(judge(&(struct tls_script) { .names = "DNS:a.test" }, dns_name("a.test"), why));
    assert_true(judge(&(struct tls_script) { .names = "DNS:A.TEST" }, dns_name("a.test"), why));
    assert_true(
        judge(&(struct tls_script) { .names = "DNS:xn--mnchen-3ya.test" }, dns_name("xn--mnchen-3ya.test"), why));
    assert_true(judge(&(struct tls_script) { .names = "IP:192.0.2.1" }, ip_name("192.0.2.1"), why));
    assert_true(judge(&(struct tls_script) { .names = "IP:2001:db8::1" }, ip_name("2001:db8::1"), why));
}

/* [8737-3-5] [8737-3-13] */
static void names_must_be_the_identifier_alone(void **state)
{
    (void)state;
    static const struct {
        const char *names, *found;
    } rows[] = {
        { NULL, "none" },
        { "DNS:b.test", "dns:b.test" },
        { "DNS:a.test.b", "dns:a.test.b" },
        { "DNS:a.tes", "dns:a.tes" },
        { "DNS:*.test", "dns:*.test" },
        { "DNS:a.test,DNS:a.test", "dns:a.test, dns:a.test" },
        { "DNS:a.test,IP:127.0.0.1", "dns:a.test, ip:127.0.0.1" },
        { "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e", "dns:a, dns:b, dns:c and 2 more" },
        { "DNS:m\xc3\xbcnchen.test", "dns:m" },
        { "email:x@a.test", "a name of type 1" },
        { "IP:127.0.0.1", "ip:127.0.0.1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[VAL_CERTIFICATE_WHY_SIZE];
        assert_false(judge(&(struct tls_script) { .names = rows[i].names }, dns_name("a.test"), why));
        assert_has(why, "its subjectAltName should be dns:a.test alone, but is ");
        assert_has(why, rows[i].found);
    }
}

/* [8738-6-1] */
static void ip_identifiers_want_ip_names(void **state)
{
    (void)state;
    char why[VAL_CERTIFICATE_WHY_SIZE];
    assert_false(judge(&(struct tls_script) { .names = "DNS:192.0.2.1" }, ip_name("192.0.2.1"), why));
    assert_false(judge(&(struct tls_script) { .names = "IP:192.0.2.2" }, ip_name("192.0.2.1"), why));
    assert_false(judge(&(struct tls_script) { .names = "IP:::ffff:192.0.2.1" }, ip_name("192.0.2.1"), why));
    assert_has(why, "should be ip:192.0.2.1 alone");
}

/* [8737-3-4] [8737-3-6] [8737-3-7] */
static void flaws(void **state)
{
    (void)state;
    static const struct {
        enum tls_flaw flaw;
        const char *why;
    } rows[] = {
        { TLS_NO_EXTENSION, "it lacks the acmeIdentifier extension (1.3.6.1.5.5.7.1.31)" },
        { TLS_NOT_CRITICAL, "its acmeIdentifier extension is not critical" },
        { TLS_WRONG_DIGEST, "its acmeIdentifier is not the SHA-256 of the key authorization" },
        { TLS_SHORT_DIGEST, "its acmeIdentifier is not an OCTET STRING of 32 bytes" },
        { TLS_LONG_DIGEST, "its acmeIdentifier is not an OCTET STRING of 32 bytes" },
        { TLS_DOUBLE_EXTENSION, "it has the extension 1.3.6.1.5.5.7.1.31 more than once" },
        { TLS_NOT_SELF_SIGNED, "it is not self-signed" },
        { TLS_OTHER_ISSUER_NAME, "it is not self-signed" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[VAL_CERTIFICATE_WHY_SIZE];
        assert_false(
            judge(&(struct tls_script) { .names = "DNS:a.test", .flaw = rows[i].flaw }, dns_name("a.test"), why));
        assert_string_equal(why, rows[i].why);
    }
}

static void extensions_are_not_looked_at_by_the_thousand(void **state)
{
    (void)state;
    uint8_t digest[SHA256_BYTES];
    char why[VAL_CERTIFICATE_WHY_SIZE], oid[32];
    EVP_PKEY *key;
    X509 *certificate = tls_certificate(&(struct tls_script) { .names = "DNS:a.test" }, &key);
    ASN1_OCTET_STRING *nothing = ASN1_OCTET_STRING_new();
    while (X509_get_ext_count(certificate) < 101) {
        snprintf(oid, sizeof oid, "1.2.3.%d", X509_get_ext_count(certificate));
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, nothing);
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
        ASN1_OBJECT_free(object);
    }
    crypto_digest_sha256(bytes_text(KEY_AUTHORIZATION), digest);
    const struct acme_identifier identifier = dns_name("a.test");
    assert_false(val_certificate_proves(certificate, &identifier, digest, why));
    assert_string_equal(why, "it has 101 extensions; at most 100 are looked at");
    ASN1_OCTET_STRING_free(nothing);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_certificates),
        cmocka_unit_test(names_must_be_the_identifier_alone),
        cmocka_unit_test(ip_identifiers_want_ip_names),
        cmocka_unit_test(flaws),
        cmocka_unit_test(extensions_are_not_looked_at_by_the_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
