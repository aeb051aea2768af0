#include "test-client/tls_alpn01.h"
#include "test-client/tls_server.h"

#include "base/buf.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/tls_client.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const char acme_tls[] = "\012acme-tls/1";

struct fixture {
    uv_loop_t loop;
    struct tls_alpn01 *answers;
    struct tls_server *server;
    uint16_t port;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_storage address = loopback_any();
    char why[LISTEN_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    f->answers = tls_alpn01_create();
    CHECK(f->answers != NULL && tls_alpn01_put(f->answers, "Www.example.test", "token.print"));
    CHECK(tls_server_start(&f->loop, &address, tls_alpn01_context(f->answers), &f->server, why));
    f->port = tls_server_port(f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tls_server_drop(f->server);
    tls_alpn01_drop(f->answers);
    loopback_end(&f->loop);
    free(f);
    return 0;
}

static void assert_refused(struct fixture *f, const char *server_name, const char *protocols)
{
    AUTO_TYPE(X509) leaf = tls_client_leaf(&f->loop, f->port, server_name, protocols);
    assert_null(leaf);
}

/* RFC 8737 §3: critical, and the digest of the key authorization as an OCTET STRING. */
static void assert_identifier(const X509 *leaf, const char *key_authorization)
{
    uint8_t expected[2 + SHA256_BYTES] = { 4, SHA256_BYTES };
    crypto_digest_sha256(bytes_text(key_authorization), expected + 2);
    ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    int at = X509_get_ext_by_OBJ(leaf, id, -1);
    ASN1_OBJECT_free(id);
    assert_true(at >= 0);
    X509_EXTENSION *extension = X509_get_ext(leaf, at);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    assert_int_equal(X509_EXTENSION_get_critical(extension), 1);
    assert_int_equal(ASN1_STRING_length(value), sizeof expected);
    assert_memory_equal(ASN1_STRING_get0_data(value), expected, sizeof expected);
}

static void assert_alternative_name(const X509 *leaf, int type, const char *expected, int len)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    int got;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &got);
    assert_int_equal(got, type);
    assert_int_equal(ASN1_STRING_length(value), len);
    assert_memory_equal(ASN1_STRING_get0_data(value), expected, (size_t)len);
    GENERAL_NAMES_free(names);
}

static void test_certificate_of_a_name(void **state)
{
    struct fixture *f = *state;
    AUTO_TYPE(X509) leaf = tls_client_leaf(&f->loop, f->port, "www.EXAMPLE.test", acme_tls);
    assert_non_null(leaf);
    assert_identifier(leaf, "token.print");
    assert_alternative_name(leaf, GEN_DNS, "www.example.test", 16);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(leaf)), 1);
    assert_int_equal(X509_get_version(leaf), X509_VERSION_3);
    assert_true(X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0);
    assert_true(X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0);
}

static void test_newest_answer_counts(void **state)
{
    struct fixture *f = *state;
    assert_true(tls_alpn01_put(f->answers, "www.example.test", "second.print"));
    AUTO_TYPE(X509) leaf = tls_client_leaf(&f->loop, f->port, "www.example.test", acme_tls);
    assert_non_null(leaf);
    assert_identifier(leaf, "second.print");
}

static void test_certificate_of_an_address(void **state)
{
    struct fixture *f = *state;
    assert_true(tls_alpn01_put(f->answers, "127.0.0.2", "v4.print"));
    AUTO_TYPE(X509) four = tls_client_leaf(&f->loop, f->port, "2.0.0.127.in-addr.arpa", acme_tls);
    assert_non_null(four);
    assert_identifier(four, "v4.print");
    assert_alternative_name(four, GEN_IPADD, "\x7f\0\0\x02", 4);
    assert_true(tls_alpn01_put(f->answers, "::1", "v6.print"));
    AUTO_TYPE(X509)
    six = tls_client_leaf(&f->loop, f->port, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
                          acme_tls);
    assert_non_null(six);
    assert_alternative_name(six, GEN_IPADD, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
}

static void test_other_names_and_protocols_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, "other.example.test", acme_tls);
    assert_refused(f, NULL, acme_tls);
    assert_refused(f, "www.example.test", NULL);
    assert_refused(f, "www.example.test", "\010http/1.1");
    assert_refused(f, "www.example.test", "\012acme-tls/1\010http/1.1");
    assert_refused(f, "www.example.test", "\012acme-tls/2");
}

static void test_removed_name_is_refused(void **state)
{
    struct fixture *f = *state;
    tls_alpn01_remove(f->answers, "WWW.example.test");
    assert_refused(f, "www.example.test", acme_tls);
    tls_alpn01_remove(f->answers, "never.example.test");
}

static void test_flaws(void **state)
{
    struct fixture *f = *state;
    struct tls_alpn01_flaws flaws = { .names = "DNS:a.example.test,DNS:b.example.test", .not_critical = true };
    assert_true(tls_alpn01_put_flawed(f->answers, "www.example.test", "token.print", &flaws));
    AUTO_TYPE(X509) leaf = tls_client_leaf(&f->loop, f->port, "www.example.test", acme_tls);
    assert_non_null(leaf);
    assert_int_equal(X509_check_host(leaf, "b.example.test", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "www.example.test", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 0);
    ASN1_OBJECT *id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    int at = X509_get_ext_by_OBJ(leaf, id, -1);
    assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(leaf, at)), 0);
    flaws = (struct tls_alpn01_flaws) { .names = "", .no_identifier = true };
    assert_true(tls_alpn01_put_flawed(f->answers, "www.example.test", "token.print", &flaws));
    AUTO_TYPE(X509) bare = tls_client_leaf(&f->loop, f->port, "www.example.test", acme_tls);
    assert_non_null(bare);
    assert_int_equal(X509_get_ext_by_OBJ(bare, id, -1), -1);
    assert_int_equal(X509_get_ext_by_NID(bare, NID_subject_alt_name, -1), -1);
    ASN1_OBJECT_free(id);
}

static void test_names_that_are_none(void **state)
{
    struct fixture *f = *state;
    assert_false(tls_alpn01_put(f->answers, "", "x"));
    assert_false(tls_alpn01_put(f->answers, "a..b", "x"));
}

static void test_what_is_no_tls_is_ended(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    loopback_exchange(&f->loop, f->port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &out);
    assert_null(memmem(buf_str(&out), out.len, "HTTP", 4));
}

static void test_drop_within_a_handshake(void **state)
{
    struct fixture *f = *state;
    int fd = loopback_connect(f->port);
    loopback_send(fd, "\x16\x03\x01", 3);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    tls_server_drop(TAKE(f->server));
    AUTO_BUF(out, 4096);
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_certificate_of_a_name),
        CASE(test_newest_answer_counts),
        CASE(test_certificate_of_an_address),
        CASE(test_other_names_and_protocols_are_refused),
        CASE(test_removed_name_is_refused),
        CASE(test_names_that_are_none),
        CASE(test_flaws),
        CASE(test_what_is_no_tls_is_ended),
        CASE(test_drop_within_a_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
