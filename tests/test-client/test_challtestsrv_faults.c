/* What goes wrong on purpose, records beyond the original's, and everything at once: listed and forgotten. */
#include "tests/test-client/challtestsrv_program.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/tls_client.h"
#include "tests/unit.h"

#include "base/world.h"

enum { DELAY_MS = 60, ROUNDING_MS = 2 };

static int get(uint16_t port, const char *host)
{
    AUTO_BUF(request, 1024);
    AUTO_BUF(out, 4096);
    buf_printf(&request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
    loopback_exchange(NULL, port, buf_str(&request), &out);
    return (int)strtol(buf_str(&out) + strlen("HTTP/1.1 "), NULL, 10);
}

static int get_secure(uint16_t port, const char *host)
{
    AUTO_BUF(request, 1024);
    AUTO_BUF(out, 4096);
    buf_printf(&request, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
    X509_free(tls_client_exchange(port, NULL, buf_bytes(&request), &out));
    return (int)strtol(buf_str(&out) + strlen("HTTP/1.1 "), NULL, 10);
}

static bool shows_certificate(const struct fixture *f, const char *name)
{
    AUTO_TYPE(X509) leaf = tls_client_leaf(NULL, f->tls, name, "\012acme-tls/1");
    return leaf != NULL;
}

static void test_the_first_ones_fail(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-failures", "{\"host\":\"a.test\",\"count\":2,\"protocol\":\"http\"}");
    assert_int_equal(get(f->http, "b.test"), 200);
    assert_int_equal(get_secure(f->https, "a.test"), 200);
    assert_int_equal(get(f->http, "A.test:5002"), 500);
    assert_int_equal(get(f->http, "a.test"), 500);
    assert_int_equal(get(f->http, "a.test"), 200);
    assert_done(f, "/set-failures", "{\"host\":\"a.test\",\"count\":1,\"protocol\":\"https\"}");
    assert_int_equal(get_secure(f->https, "a.test"), 500);
    assert_int_equal(get_secure(f->https, "a.test"), 200);
    assert_done(f, "/set-failures", "{\"host\":\"a.test.\",\"count\":1,\"protocol\":\"dns\"}");
    assert_dns(f, "A.test", DNS_A, "SERVFAIL aa ra");
    assert_dns(f, "A.test", DNS_A, "NOERROR aa ra | A.test A 0 7f000001");
    assert_done(f, "/add-tlsalpn01", "{\"host\":\"a.test\",\"content\":\"t.print\"}");
    assert_done(f, "/set-failures", "{\"host\":\"a.test\",\"count\":1,\"protocol\":\"tlsalpn\"}");
    assert_false(shows_certificate(f, "a.test"));
    assert_true(shows_certificate(f, "a.test"));
}

static void test_failures_of_every_protocol_and_of_wildcards(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-failures", "{\"host\":\"*.w.test\",\"count\":1}");
    assert_int_equal(get(f->http, "w.test"), 200);
    assert_int_equal(get(f->http, "x.w.test"), 500);
    assert_int_equal(get(f->http, "y.w.test"), 200);
    assert_dns(f, "x.y.w.test", DNS_A, "SERVFAIL aa ra");
    assert_dns(f, "x.y.w.test", DNS_A, "NOERROR aa ra | x.y.w.test A 0 7f000001");
    assert_done(f, "/set-failures", "{\"host\":\"127.0.0.1\",\"count\":1}");
    assert_int_equal(get(f->http, "127.0.0.1:5002"), 500);
    assert_done(f, "/set-failures", "{\"host\":\"*\",\"count\":1}");
    assert_int_equal(get(f->http, "anyone.test"), 500);
    assert_done(f, "/set-failures", "{\"host\":\"*\",\"count\":0}");
    assert_int_equal(get_secure(f->https, "anyone.test"), 200);
}

static int64_t since(int64_t start_ms)
{
    return monotonic_ms() - start_ms + ROUNDING_MS;
}

static void test_answers_come_late(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-delay", "{\"host\":\"slow.test\",\"ms\":60}");
    assert_done(f, "/add-tlsalpn01", "{\"host\":\"slow.test\",\"content\":\"t.print\"}");
    int64_t start_ms = monotonic_ms();
    assert_int_equal(get(f->http, "slow.test"), 200);
    assert_true(since(start_ms) >= DELAY_MS);
    start_ms = monotonic_ms();
    assert_int_equal(get_secure(f->https, "slow.test"), 200);
    assert_true(since(start_ms) >= DELAY_MS);
    start_ms = monotonic_ms();
    assert_dns(f, "slow.test", DNS_A, "NOERROR aa ra | slow.test A 0 7f000001");
    assert_true(since(start_ms) >= DELAY_MS);
    start_ms = monotonic_ms();
    assert_true(shows_certificate(f, "slow.test"));
    assert_true(since(start_ms) >= DELAY_MS);
}

static void test_a_delay_holds_up_nobody_else(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/set-delay", "{\"host\":\"slow.test\",\"ms\":600000,\"protocol\":\"http\"}");
    int fd = loopback_connect(f->http);
    static const char request[] = "GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n";
    loopback_send(fd, request, sizeof request - 1);
    assert_int_equal(get(f->http, "b.test"), 200);
    assert_int_equal(get_secure(f->https, "slow.test"), 200);
    assert_dns(f, "slow.test", DNS_A, "NOERROR aa ra | slow.test A 0 7f000001");
} /* and the program ends although an answer waits */

static void test_wrong_faults(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *path, *json, *why;
    } rows[] = {
        { "/set-delay", "{\"host\":\"a.test\"}", "\"ms\" must be a number from 0 to 600000\n" },
        { "/set-delay", "{\"host\":\"a.test\",\"ms\":600001}", "\"ms\" must be a number from 0 to 600000\n" },
        { "/set-delay", "{\"host\":\"a.test\",\"ms\":-1}", "\"ms\" must be a number from 0 to 600000\n" },
        { "/set-delay", "{\"host\":\"a.test\",\"ms\":1.5}", "\"ms\" must be a number from 0 to 600000\n" },
        { "/set-delay", "{\"ms\":1}", "\"host\" must be a text that is not empty\n" },
        { "/set-failures", "{\"host\":\"a\",\"count\":1,\"protocol\":\"ftp\"}",
          "\"protocol\" must be \"dns\", \"http\", \"https\" or \"tlsalpn\"\n" },
        { "/set-bogus", "{\"host\":\"a\",\"how\":\"none\"}",
          "\"how\" must be \"signature\", \"expired\" or \"missing\"\n" },
        { "/sign-zone", "{\"host\":\"a..b\"}", "\"host\" is no DNS name: \"a..b\"\n" },
        { "/set-nxdomain", "{\"host\":\".\"}", "\"host\" is no DNS name: \".\"\n" },
        { "/add-mx", "{\"host\":\"a\",\"exchanges\":[{\"preference\":65536,\"exchange\":\"b\"}]}",
          "\"preference\" must be a number from 0 to 65535\n" },
        { "/add-mx", "{\"host\":\"a\",\"exchanges\":[7]}", "\"exchange\" must be a text that is not empty\n" },
        { "/add-srv", "{\"host\":\"a\",\"services\":[{\"target\":\"b\"}]}",
          "\"port\" must be a number from 0 to 65535\n" },
        { "/add-ns", "{\"host\":\"a\",\"targets\":[\"b..c\"]}", "\"b..c\" is no DNS name\n" },
        { "/set-soa", "{\"host\":\"a\",\"mname\":\"b\"}", "\"rname\" must be a text that is not empty\n" },
        { "/set-txt", "{\"host\":\"a\",\"value\":\"b\",\"ttl\":\"1\"}",
          "\"ttl\" must be a number from 0 to 2147483647\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_BUF(body, 4096);
        assert_int_equal(order(f, rows[i].path, rows[i].json, &body), 400);
        assert_string_equal(buf_str(&body), rows[i].why);
    }
}

static void test_records_of_more_types(void **state)
{
    const struct fixture *f = *state;
    assert_done(f, "/add-ns", "{\"host\":\"a.test\",\"targets\":[\"n1.test\",\"N2.test.\"],\"ttl\":60}");
    assert_dns(f, "a.test", DNS_NS,
               "NOERROR aa ra | a.test NS 60 026e31047465737400 | a.test NS 60 026e32047465737400");
    assert_done(
        f, "/add-mx",
        "{\"host\":\"a.test\",\"exchanges\":[{\"preference\":10,\"exchange\":\"m.test\"},{\"exchange\":\".\"}]}");
    assert_dns(f, "a.test", DNS_MX, "NOERROR aa ra | a.test MX 0 000a016d047465737400 | a.test MX 0 000000");
    assert_done(f, "/add-ptr", "{\"host\":\"1.0.0.10.in-addr.arpa\",\"targets\":[\"a.test\"]}");
    assert_dns(f, "1.0.0.10.in-addr.arpa", DNS_PTR, "NOERROR aa ra | 1.0.0.10.in-addr.arpa PTR 0 0161047465737400");
    assert_done(f, "/add-srv",
                "{\"host\":\"_s._tcp.a.test\",\"services\":[{\"priority\":1,\"weight\":2,\"port\":443,"
                "\"target\":\"a.test\"}]}");
    assert_dns(f, "_s._tcp.a.test", DNS_SRV, "NOERROR aa ra | _s._tcp.a.test SRV 0 0001000201bb0161047465737400");
    assert_done(f, "/set-soa", "{\"host\":\"a.test\",\"mname\":\"n\",\"rname\":\"h\",\"serial\":1}");
    assert_done(f, "/set-soa",
                "{\"host\":\"a.test\",\"mname\":\"n\",\"rname\":\"h\",\"serial\":7,\"minimum\":5,\"ttl\":9}");
    assert_dns(f, "a.test", DNS_SOA,
               "NOERROR aa ra | a.test SOA 9 016e00016800"
               "00000007"
               "00000e10"
               "00000258"
               "00015180"
               "00000005");
    assert_done(f, "/clear-mx", "{\"host\":\"a.test\"}");
    assert_dns(f, "a.test", DNS_MX, "NOERROR aa ra auth");
    assert_done(f, "/set-nxdomain", "{\"host\":\"*.a.test\"}");
    assert_dns(f, "gone.a.test", DNS_A, "NXDOMAIN aa ra auth");
    assert_dns(f, "_tcp.a.test", DNS_A, "NOERROR aa ra | _tcp.a.test A 0 7f000001");
    assert_done(f, "/clear-nxdomain", "{\"host\":\"*.a.test\"}");
    assert_dns(f, "gone.a.test", DNS_A, "NOERROR aa ra | gone.a.test A 0 7f000001");
}

static void dump(const struct fixture *f, struct buf *out)
{
    buf_clear(out);
    assert_int_equal(order(f, "/dump", "", out), 200);
}

static void assert_dumped(const struct buf *dumped, const char *part)
{
    if (strstr(buf_str(dumped), part) == NULL)
        fail_msg("\"%s\" is not in %s", part, buf_str(dumped));
}

static void test_everything_is_listed_and_forgotten(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(before, 1 << 16);
    AUTO_BUF(after, 1 << 16);
    dump(f, &before);
    assert_done(f, "/add-caa", "{\"host\":\"a.test\",\"policies\":[{\"tag\":\"issue\",\"value\":\"ca\"}],\"ttl\":5}");
    assert_done(f, "/set-txt", "{\"host\":\"a.test\",\"value\":\"\xc3\xa4 \\\"\"}");
    assert_done(f, "/set-servfail", "{\"host\":\"b.test\"}");
    assert_done(f, "/set-bogus", "{\"host\":\"c.test\",\"how\":\"expired\"}");
    assert_done(f, "/set-default-ipv4", "{\"ip\":\"10.0.0.9\"}");
    assert_int_equal(order(f, "/sign-zone", "{\"host\":\"signed.test\"}", NULL), 200);
    assert_done(f, "/add-http01", "{\"token\":\"t\",\"content\":\"t.print\"}");
    assert_done(f, "/add-redirect", "{\"path\":\"/x\",\"targetURL\":\"http://y/\"}");
    assert_done(f, "/add-tlsalpn01", "{\"host\":\"a.test\",\"content\":\"t.print\"}");
    assert_done(f, "/set-delay", "{\"host\":\"d.test\",\"ms\":5,\"protocol\":\"dns\"}");
    assert_int_equal(get(f->http, "a.test"), 200);
    dump(f, &after);
    static const char *const parts[] = {
        "\"defaultIPv4\": \"10.0.0.9\"",
        "\"type\": \"CAA\",\n            \"ttl\": 5,\n            \"data\": \"0 issue \\\"ca\\\"\"",
        "\"data\": \"\xc3\xa4 \\\"\"",
        "\"servfail\": true",
        "\"bogus\": \"expired\"",
        "\"signed.test. IN DS ",
        "\"t\": \"t.print\"",
        "\"/x\": \"http://y/\"",
        "\"a.test\": \"t.print\"",
        "\"host\": \"d.test\",\n      \"protocol\": \"dns\",\n      \"ms\": 5,\n      \"count\": 0",
        "\"http\": 1",
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        assert_dumped(&after, parts[i]);
    assert_done(f, "/reset", "");
    dump(f, &after);
    assert_string_equal(buf_str(&after), buf_str(&before));
    assert_false(shows_certificate(f, "a.test"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_the_first_ones_fail),
        CASE(test_failures_of_every_protocol_and_of_wildcards),
        CASE(test_answers_come_late),
        CASE(test_a_delay_holds_up_nobody_else),
        CASE(test_wrong_faults),
        CASE(test_records_of_more_types),
        CASE(test_everything_is_listed_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
