/* The program from outside, over real sockets: its start, its orders, its answers, its end. */
#include "tests/test-client/challtestsrv_program.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/tls_client.h"
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>

/* The program refuses to start and says why. */
static void assert_refuses(const char *const *words, int exit_code, const char *why)
{
    struct program program;
    program_start(&program, words);
    program_wait_for(&program, why);
    assert_int_equal(program_end(&program), exit_code);
}

static void test_default_addresses(void **state)
{
    const struct fixture *f = *state;
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f000001");
    assert_dns(f, "a.test", DNS_AAAA, "NOERROR aa ra | a.test AAAA 0 00000000000000000000000000000001");
    assert_done(f, "/set-default-ipv4", "{\"ip\":\"10.1.2.3\"}");
    assert_done(f, "/set-default-ipv6", "{\"ip\":\"\"}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 0a010203");
    assert_dns(f, "a.test", DNS_AAAA, "NOERROR aa ra auth");
}

static void test_addresses(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/add-a", "{\"host\":\"a.test.\",\"addresses\":[\"10.0.0.1\",\"10.0.0.2\"]}");
    assert_done(f, "/add-a", "{\"Host\":\"A.test\",\"ADDRESSES\":[\"10.0.0.3\"]}");
    assert_done(f, "/add-aaaa", "{\"host\":\"a.test\",\"addresses\":[\"fc00::1\"]}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 0a000001 | a.test A 0 0a000002 | a.test A 0 0a000003");
    assert_dns(f, "a.test", DNS_AAAA, "NOERROR aa ra | a.test AAAA 0 fc000000000000000000000000000001");
    assert_done(f, "/clear-a", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f000001");
    assert_done(f, "/clear-aaaa", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_AAAA, "NOERROR aa ra | a.test AAAA 0 00000000000000000000000000000001");
}

static void test_txt_is_appended_until_cleared(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-txt", "{\"host\":\"_acme-challenge.a.test.\",\"value\":\"x\"}");
    assert_done(f, "/set-txt", "{\"host\":\"_acme-challenge.a.test.\",\"value\":\"y\"}");
    assert_dns(f, "_acme-challenge.a.test", DNS_TXT,
               "NOERROR aa ra | _acme-challenge.a.test TXT 0 0178 | _acme-challenge.a.test TXT 0 0179");
    assert_done(f, "/clear-txt", "{\"host\":\"_acme-challenge.a.test.\"}");
    assert_dns(f, "_acme-challenge.a.test", DNS_TXT, "NOERROR aa ra auth");
}

static void test_cname_is_replaced(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-cname", "{\"host\":\"a.test\",\"target\":\"b.test\"}");
    assert_done(f, "/set-cname", "{\"host\":\"a.test\",\"target\":\"c.test.\"}");
    assert_done(f, "/add-a", "{\"host\":\"c.test\",\"addresses\":[\"10.0.0.1\"]}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test CNAME 0 0163047465737400 | c.test A 0 0a000001");
    assert_done(f, "/clear-cname", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f000001");
}

static void test_caa(void **state)
{
    const struct fixture *f = *state;
    assert_done(
        f, "/add-caa",
        "{\"host\":\"a.test\",\"policies\":[{\"tag\":\"issue\",\"value\":\"x\"},{\"Tag\":\"iodef\",\"value\":\"y\"}]}");
    assert_dns(f, "a.test", DNS_CAA, "NOERROR aa ra | a.test CAA 0 0005697373756578 | a.test CAA 0 0005696f64656679");
    assert_done(f, "/clear-caa", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_CAA, "NOERROR aa ra auth");
}

static void test_servfail(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-servfail", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_A, "SERVFAIL aa ra");
    assert_done(f, "/clear-servfail", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f000001");
}

static void get(const struct fixture *f, const char *path, struct buf *out)
{
    AUTO_BUF(request, 1024);
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", path);
    buf_clear(out);
    loopback_exchange(NULL, f->http, buf_str(&request), out);
    assert_int_equal(strncmp(buf_str(out), "HTTP/1.1 200 OK\r\n", 17), 0);
}

static void test_http_01(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_done(f, "/add-http01", "{\"token\":\"t\",\"content\":\"t.print\"}");
    get(f, "/.well-known/acme-challenge/t", &out);
    assert_non_null(strstr(buf_str(&out), "\r\n\r\nt.print"));
    assert_done(f, "/del-http01", "{\"token\":\"t\"}");
    get(f, "/.well-known/acme-challenge/t", &out); /* every other path is an empty page */
    assert_string_equal(buf_str(&out) + out.len - 4, "\r\n\r\n");
}

static bool shows_certificate(const struct fixture *f, const char *name)
{
    AUTO_TYPE(X509) leaf = tls_client_leaf(NULL, f->tls, name, "\012acme-tls/1");
    return leaf != NULL;
}

static void test_tls_alpn_01(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/add-tlsalpn01", "{\"host\":\"a.test\",\"content\":\"t.print\"}");
    assert_true(shows_certificate(f, "a.test"));
    assert_false(shows_certificate(f, "b.test"));
    assert_done(f, "/del-tlsalpn01", "{\"host\":\"a.test\"}");
    assert_false(shows_certificate(f, "a.test"));
}

static void test_wrong_orders_are_refused_in_words(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *path, *json, *why;
    } rows[] = {
        { "/add-a", "", "the body is empty; a JSON object is expected\n" },
        { "/add-a", "[]", "a JSON object is expected\n" },
        { "/add-a", "{\"host\":\"a.test\"}", "\"addresses\" must be a list of 1 to 256\n" },
        { "/add-a", "{\"host\":\"a.test\",\"addresses\":[]}", "\"addresses\" must be a list of 1 to 256\n" },
        { "/add-a", "{\"addresses\":[\"10.0.0.1\"]}", "\"host\" must be a text that is not empty\n" },
        { "/add-a", "{\"host\":\"a..b\",\"addresses\":[\"10.0.0.1\"]}", "\"host\" is no DNS name: \"a..b\"\n" },
        { "/add-a", "{\"host\":\"a.test\",\"addresses\":[\"10.0.0.1\",\"::1\"]}", "\"::1\" is no IPv4 address\n" },
        { "/add-aaaa", "{\"host\":\"a.test\",\"addresses\":[7]}", "\"\" is no IPv6 address\n" },
        { "/set-default-ipv4", "{}", "\"ip\" must be an IPv4 address, or \"\" for none\n" },
        { "/set-default-ipv6", "{\"ip\":\"1.2.3.4\"}", "\"1.2.3.4\" is no IPv6 address\n" },
        { "/set-txt", "{\"host\":\"a.test\"}", "\"value\" must be a text that is not empty\n" },
        { "/set-cname", "{\"host\":\"a.test\",\"target\":\"b..c\"}", "\"target\" is no DNS name: \"b..c\"\n" },
        { "/add-caa", "{\"host\":\"a.test\",\"policies\":[7]}", "\"tag\" must be a text that is not empty\n" },
        { "/add-caa", "{\"host\":\"a.test\",\"policies\":[{\"tag\":\"a b\",\"value\":\"x\"}]}",
          "\"a b\" is no CAA tag: letters and digits, up to 255\n" },
        { "/clear-txt", "{}", "\"host\" must be a text that is not empty\n" },
        { "/set-servfail", "{\"host\":\"\"}", "\"host\" must be a text that is not empty\n" },
        { "/add-http01", "{\"token\":\"t\"}", "\"content\" must be a text that is not empty\n" },
        { "/del-http01", "{\"content\":\"t\"}", "\"token\" must be a text that is not empty\n" },
        { "/add-tlsalpn01", "{\"host\":\"a.test\"}", "\"content\" must be a text that is not empty\n" },
        { "/del-tlsalpn01", "{}", "\"host\" must be a text that is not empty\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_BUF(body, 4096);
        assert_int_equal(order(f, rows[i].path, rows[i].json, &body), 400);
        assert_string_equal(buf_str(&body), rows[i].why);
    }
    assert_dns(f, "a.test", DNS_A,
               "NOERROR aa ra | a.test A 0 7f000001"); /* the good half of a wrong list is not kept */
    assert_int_equal(order(f, "/", "{}", NULL), 404);
}

static void test_long_txt_goes_over_udp_in_two_strings(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(json, 4096);
    AUTO_BUF(expected, 4096);
    buf_text(&json, "{\"host\":\"a.test\",\"value\":\"");
    buf_text(&expected, "NOERROR aa ra | a.test TXT 0 ff");
    for (int i = 0; i < 256; i++) {
        buf_char(&json, 'x');
        buf_text(&expected, i == 255 ? "0178" : "78");
    }
    buf_text(&json, "\"}");
    assert_done(f, "/set-txt", buf_str(&json));
    assert_dns(f, "a.test", DNS_TXT, buf_str(&expected));
}

static void test_servers_are_switched_off(void **state)
{
    (void)state;
    static const char *const words[] = {
        "-http01",
        "\"\"",
        "-tlsalpn01",
        "",
        "-dnsserver=",
        "-https01",
        "\"\"",
        "-doh",
        "",
        "-management",
        "127.0.0.1:0,127.0.0.1:0",
        NULL,
    };
    struct fixture f = { 0 };
    program_start(&f.program, words);
    program_wait_for(&f.program, "Starting management server on ");
    f.management = program_port(&f.program, "Starting management server on ");
    assert_null(strstr(buf_str(&f.program.said), "answers on"));
    assert_null(strstr(buf_str(&f.program.said), "DNS"));
    static const char *const paths[] = { "/add-a", "/add-http01", "/add-tlsalpn01" };
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        assert_int_equal(order(&f, paths[i], "{}", NULL), 404);
    kill(f.program.pid, SIGINT);
    assert_int_equal(program_end(&f.program), 0);
}

static void test_address_that_was_asked_for_must_be_had(void **state)
{
    const struct fixture *f = *state;
    char bind[32], why[128];
    snprintf(bind, sizeof bind, "127.0.0.1:%u", f->http);
    snprintf(why, sizeof why, "-http01: cannot listen on %s: address already in use", bind);
    assert_refuses((const char *const[]) { "-http01", bind, "-tlsalpn01", "", "-dnsserver", "", NULL }, 1, why);
}

static void test_wrong_command_lines(void **state)
{
    (void)state;
    static const struct {
        const char *const words[7];
        int exit_code;
        const char *why;
    } rows[] = {
        { { "-nonsense" }, 2, "unknown flag -nonsense\n" },
        { { "serve" }, 2, "\"serve\" is no flag" },
        { { "-" }, 2, "\"-\" is no flag" },
        { { "-http01" }, 2, "-http01 needs a value" },
        { { "-defaultIPv4=::1" }, 1, "-defaultIPv4: \"::1\" is no IPv4 address" },
        { { "-http01", "", "-tlsalpn01", "", "-dns01", "8053" },
          1,
          "-dnsserver: cannot listen on 8053: \"8053\" is no address to listen on" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_refuses(rows[i].words, rows[i].exit_code, rows[i].why);
}

static void test_help_and_version(void **state)
{
    (void)state;
    assert_refuses((const char *const[]) { "--help", NULL }, 0, "-dnsserver     BINDS    serve DNS over UDP and TCP");
    assert_refuses((const char *const[]) { "-h", NULL }, 0, "-defaultIPv6   ADDRESS");
    assert_refuses((const char *const[]) { "-version", NULL }, 0, "caraway-challtestsrv " CARAWAY_VERSION "\n");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_default_addresses),
        CASE(test_addresses),
        CASE(test_txt_is_appended_until_cleared),
        CASE(test_cname_is_replaced),
        CASE(test_caa),
        CASE(test_servfail),
        CASE(test_http_01),
        CASE(test_tls_alpn_01),
        CASE(test_wrong_orders_are_refused_in_words),
        CASE(test_long_txt_goes_over_udp_in_two_strings),
        cmocka_unit_test(test_servers_are_switched_off),
        CASE(test_address_that_was_asked_for_must_be_had),
        cmocka_unit_test(test_wrong_command_lines),
        cmocka_unit_test(test_help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
