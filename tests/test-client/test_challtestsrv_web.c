/* HTTP, HTTPS, redirects, DNS over HTTPS, and what is remembered of them. */
#include "test-client/tls_context.h"
#include "tests/test-client/challtestsrv_program.h"
#include "tests/test-client/dns_client.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/tls_client.h"
#include "tests/unit.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void get(const struct fixture *f, const char *target, const char *host, struct buf *out)
{
    AUTO_BUF(request, 1024);
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tester/1 \xff\r\nConnection: close\r\n\r\n",
               target, host);
    buf_clear(out);
    loopback_exchange(NULL, f->http, buf_str(&request), out);
}

static X509 *get_secure(const struct fixture *f, const char *target, const char *server_name, struct buf *out)
{
    AUTO_BUF(request, 1024);
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: Secure.test:443\r\nConnection: close\r\n\r\n", target);
    buf_clear(out);
    return tls_client_exchange(f->https, server_name, buf_bytes(&request), out);
}

static void assert_begins(const struct buf *text, const char *expected)
{
    if (strncmp(buf_str(text), expected, strlen(expected)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", buf_str(text), expected);
}

static void assert_ends(const struct buf *text, const char *expected)
{
    if (text->len < strlen(expected) || strcmp(buf_str(text) + text->len - strlen(expected), expected) != 0)
        fail_msg("\"%s\" does not end with \"%s\"", buf_str(text), expected);
}

static void test_https_with_a_certificate_nobody_trusts(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_done(f, "/add-http01", "{\"token\":\"t\",\"content\":\"t.print\"}");
    AUTO_TYPE(X509) leaf = get_secure(f, "/.well-known/acme-challenge/t", "secure.test", &out);
    assert_begins(&out, "HTTP/1.1 200 OK\r\n");
    assert_ends(&out, "\r\n\r\nt.print");
    char text[64], group[64];
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof text) > 0);
    assert_string_equal(text, "challenge test server");
    assert_int_equal(EVP_PKEY_get_group_name(X509_get0_pubkey(leaf), group, sizeof group, NULL), 1);
    assert_string_equal(group, "prime256v1");
    assert_int_equal(X509_self_signed(leaf, 1), 1);
}

static void test_redirects_are_for_plain_http(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_done(f, "/add-redirect", "{\"path\":\"/a/b\",\"targetURL\":\"https://b.test:5003/x?y#z\"}");
    assert_done(f, "/add-redirect", "{\"Path\":\"/.well-known/acme-challenge/t\",\"TargetURL\":\"http://c.test/\"}");
    assert_done(f, "/add-http01", "{\"token\":\"t\",\"content\":\"t.print\"}");
    get(f, "/a/b?q=1", "a.test", &out);
    assert_begins(&out, "HTTP/1.1 302 Found\r\n");
    assert_non_null(strstr(buf_str(&out), "\r\nLocation: https://b.test:5003/x?y#z\r\n"));
    get(f, "/.well-known/acme-challenge/t", "a.test", &out); /* goes before the challenge */
    assert_non_null(strstr(buf_str(&out), "\r\nLocation: http://c.test/\r\n"));
    get(f, "/a/b/", "a.test", &out);
    assert_begins(&out, "HTTP/1.1 200 OK\r\n");
    assert_ends(&out, "\r\n\r\n");
    X509_free(get_secure(f, "/a/b", NULL, &out));
    assert_begins(&out, "HTTP/1.1 200 OK\r\n");
    assert_done(f, "/del-redirect", "{\"path\":\"/a/b\"}");
    get(f, "/a/b", "a.test", &out);
    assert_begins(&out, "HTTP/1.1 200 OK\r\n");
    assert_int_equal(order(f, "/add-redirect", "{\"path\":\"/\",\"targetURL\":\"http://a/\\r\\nX: y\"}", NULL), 400);
    assert_int_equal(order(f, "/add-redirect", "{\"path\":\"/\",\"targetURL\":\"http://\\u00fc/\"}", NULL), 400);
}

static void test_requests_are_remembered_by_host(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_order(f, "/http-request-history", "{\"host\":\"a.test\"}", "[]");
    get(f, "/x?y=%22\"", "A.test:80", &out);
    get(f, "/z", "a.test", &out);
    get(f, "/b", "b.test", &out);
    get(f, "/c", "[::1]:5002", &out);
    X509_free(get_secure(f, "/s", "Secure.test", &out));
    assert_order(f, "/http-request-history", "{\"host\":\"a.test.\"}",
                 "[{\"URL\":\"/x?y=%22\\\"\",\"Host\":\"A.test:80\",\"HTTPS\":false,\"ServerName\":\"\",\"UserAgent\":"
                 "\"tester/1 \xef\xbf\xbd\"},{\"URL\":\"/z\",\"Host\":\"a.test\",\"HTTPS\":false,\"ServerName\":\"\","
                 "\"UserAgent\":\"tester/1 \xef\xbf\xbd\"}]");
    assert_order(f, "/http-request-history", "{\"host\":\"secure.test\"}",
                 "[{\"URL\":\"/s\",\"Host\":\"Secure.test:443\",\"HTTPS\":true,\"ServerName\":\"Secure.test\","
                 "\"UserAgent\":\"\"}]");
    AUTO_BUF(body, 4096);
    assert_int_equal(order(f, "/http-request-history", "{\"host\":\"::1\"}", &body), 200);
    assert_non_null(strstr(buf_str(&body), "\"URL\":\"/c\""));
    assert_done(f, "/clear-request-history", "{\"host\":\"a.test\",\"type\":\"dns\"}"); /* not these */
    assert_done(f, "/clear-request-history", "{\"host\":\"b.test\",\"type\":\"http\"}");
    assert_order(f, "/http-request-history", "{\"host\":\"b.test\"}", "[]");
    assert_done(f, "/clear-request-history", "{\"host\":\"A.test\",\"type\":\"http\"}");
    assert_order(f, "/http-request-history", "{\"host\":\"a.test\"}", "[]");
    assert_int_equal(order(f, "/clear-request-history", "{\"host\":\"a.test\",\"type\":\"smtp\"}", NULL), 400);
    assert_int_equal(order(f, "/clear-request-history", "{\"host\":\"a.test\"}", NULL), 400);
    assert_int_equal(order(f, "/http-request-history", "{}", NULL), 400);
}

/* The answer's head in `head`, its body in `body`. */
static void over_https(const struct fixture *f, const char *method, const char *content_type, const struct buf *query,
                       struct buf *head, struct buf *body)
{
    AUTO_BUF(request, 4096);
    AUTO_BUF(out, 8192);
    buf_printf(&request, "%s /dns-query HTTP/1.1\r\nHost: doh.test\r\nUser-Agent: asker\r\nConnection: close\r\n",
               method);
    if (content_type != NULL)
        buf_printf(&request, "Content-Type: %s\r\n", content_type);
    buf_printf(&request, "Content-Length: %zu\r\n\r\n", query->len);
    buf_append(&request, query->data, query->len);
    X509_free(tls_client_exchange(f->doh, NULL, buf_bytes(&request), &out));
    char *end = strstr(buf_str(&out), "\r\n\r\n");
    assert_non_null(end);
    size_t head_len = (size_t)(end - out.data) + 4;
    buf_clear(head);
    buf_clear(body);
    buf_append(head, out.data, head_len);
    buf_append(body, out.data + head_len, out.len - head_len);
}

static void test_dns_over_https(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(query, 512);
    AUTO_BUF(head, 4096);
    AUTO_BUF(body, 4096);
    AUTO_BUF(text, 4096);
    assert_done(f, "/set-txt", "{\"host\":\"doh.test\",\"value\":\"x\"}");
    dns_client_query(&query, "Doh.test", DNS_TXT, 0);
    over_https(f, "POST", "Application/DNS-message", &query, &head, &body);
    assert_begins(&head, "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(buf_str(&head), "\r\nContent-Type: application/dns-message\r\n"));
    dns_client_text(buf_bytes(&body), &text);
    assert_string_equal(buf_str(&text), "NOERROR aa ra | Doh.test TXT 0 0178");
    assert_order(f, "/dns-request-history", "{\"host\":\"doh.test\"}",
                 "[{\"Question\":{\"Name\":\"Doh.test.\",\"Qtype\":16,\"Qclass\":1},\"UserAgent\":\"asker\"}]");
    over_https(f, "POST", NULL, &query, &head, &body);
    assert_begins(&head, "HTTP/1.1 200 OK\r\n");
    over_https(f, "POST", "text/plain", &query, &head, &body);
    assert_begins(&head, "HTTP/1.1 415 Unsupported Media Type\r\n");
    over_https(f, "GET", NULL, &query, &head, &body);
    assert_begins(&head, "HTTP/1.1 405 Method Not Allowed\r\n");
    buf_clear(&query);
    buf_text(&query, "short");
    over_https(f, "POST", "application/dns-message", &query, &head, &body);
    assert_begins(&head, "HTTP/1.1 400 Bad Request\r\n");
}

static void test_questions_are_remembered_by_name(void **state)
{
    const struct fixture *f = *state;
    assert_dns(f, "Q.test", DNS_CAA, "NOERROR aa ra auth");
    assert_dns(f, "q.test", DNS_A, "NOERROR aa ra | q.test A 0 7f000001");
    assert_order(f, "/dns-request-history", "{\"host\":\"q.test.\"}",
                 "[{\"Question\":{\"Name\":\"Q.test.\",\"Qtype\":257,\"Qclass\":1},\"UserAgent\":\"\"},"
                 "{\"Question\":{\"Name\":\"q.test.\",\"Qtype\":1,\"Qclass\":1},\"UserAgent\":\"\"}]");
    assert_done(f, "/clear-request-history", "{\"host\":\"q.test\",\"type\":\"dns\"}");
    assert_order(f, "/dns-request-history", "{\"host\":\"q.test\"}", "[]");
}

static void handshake(const struct fixture *f, const char *name, const char *protocols)
{
    X509_free(tls_client_leaf(NULL, f->tls, name, protocols));
}

static void test_handshakes_are_remembered_by_server_name(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/add-tlsalpn01", "{\"host\":\"t.test\",\"content\":\"t.print\"}");
    handshake(f, "T.test", "\012acme-tls/1");
    handshake(f, "t.test", "\002h2\012acme-tls/1");
    handshake(f, "other.test", NULL);
    assert_order(f, "/tlsalpn01-request-history", "{\"host\":\"t.test\"}",
                 "[{\"ServerName\":\"T.test\",\"SupportedProtos\":[\"acme-tls/1\"]},"
                 "{\"ServerName\":\"t.test\",\"SupportedProtos\":[\"h2\",\"acme-tls/1\"]}]");
    assert_order(f, "/tlsalpn01-request-history", "{\"host\":\"other.test\"}",
                 "[{\"ServerName\":\"other.test\",\"SupportedProtos\":[]}]");
    assert_done(f, "/clear-request-history", "{\"host\":\"t.test\",\"type\":\"tlsalpn\"}");
    assert_order(f, "/tlsalpn01-request-history", "{\"host\":\"t.test\"}", "[]");
}

static void write_pem(const char *path, EVP_PKEY *key, const char *common_name)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (common_name == NULL) {
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    } else {
        AUTO_TYPE(X509) certificate = X509_new();
        assert_true(certificate != NULL && tls_certificate_begin(certificate, key, common_name));
        assert_true(X509_sign(certificate, key, crypto_sha256()) > 0 && PEM_write_X509(file, certificate) == 1);
    }
    assert_int_equal(fclose(file), 0);
}

static void assert_ends_with(const char *const *words, int status, const char *why)
{
    struct program program;
    program_start(&program, words);
    program_wait_for(&program, why);
    assert_int_equal(program_end(&program), status);
}

#define NOTHING_ELSE "-http01", "", "-https01", "", "-tlsalpn01", "", "-dnsserver", "", "-management", "127.0.0.1:0"

static void test_dns_over_https_with_a_certificate(void **state)
{
    (void)state;
    char folder[] = "/tmp/caraway-doh-XXXXXX", certificate[64], key[64], other[64];
    assert_non_null(mkdtemp(folder));
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(key, sizeof key, "%s/key.pem", folder);
    snprintf(other, sizeof other, "%s/other.pem", folder);
    AUTO_TYPE(EVP_PKEY) right = EVP_EC_gen("P-256");
    AUTO_TYPE(EVP_PKEY) wrong = EVP_EC_gen("P-256");
    write_pem(certificate, right, "doh.test");
    write_pem(key, right, NULL);
    write_pem(other, wrong, NULL);

    struct program program;
    const char *const words[] = { NOTHING_ELSE, "-doh",          "127.0.0.1:0", "-doh-cert",
                                  certificate,  "-doh-cert-key", key,           NULL };
    program_start(&program, words);
    program_wait_for(&program, "Starting management server on ");
    AUTO_BUF(out, 4096);
    AUTO_TYPE(X509)
    leaf = tls_client_exchange(program_port(&program, "DNS over HTTPS on "), NULL, bytes_text("GET / HTTP/1.0\r\n\r\n"),
                               &out);
    char name[64];
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, name, sizeof name) > 0);
    assert_string_equal(name, "doh.test");
    kill(program.pid, SIGTERM);
    assert_int_equal(program_end(&program), 0);

    assert_ends_with((const char *const[]) { NOTHING_ELSE, "-doh-cert", certificate, NULL }, 2,
                     "-doh-cert and -doh-cert-key go together");
    assert_ends_with((const char *const[]) { NOTHING_ELSE, "-doh", "127.0.0.1:0", "-doh-cert", certificate,
                                             "-doh-cert-key", other, NULL },
                     1, "other.pem: key values mismatch");
    assert_ends_with(
        (const char *const[]) { NOTHING_ELSE, "-doh", "127.0.0.1:0", "-doh-cert", folder, "-doh-cert-key", key, NULL },
        1, folder);
    unlink(certificate);
    unlink(key);
    unlink(other);
    rmdir(folder);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_https_with_a_certificate_nobody_trusts),
        CASE(test_redirects_are_for_plain_http),
        CASE(test_requests_are_remembered_by_host),
        CASE(test_dns_over_https),
        cmocka_unit_test(test_dns_over_https_with_a_certificate),
        CASE(test_questions_are_remembered_by_name),
        CASE(test_handshakes_are_remembered_by_server_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
