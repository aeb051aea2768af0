#include "tests/validators/tls_server.h"

#include <signal.h>
#include <stdio.h>

static const char *const loopback[] = { "127.0.0.1" };
static const struct validators_host hosts[] = { { "*.test", loopback, 1 } };

enum { TEXT_SIZE = 400 };

struct fixture {
    struct tcp_row rows[3];
    char redirect[TEXT_SIZE];
    struct tcp_server *server, *second;
    struct validators *validators;
    struct outcome outcome;
};

/* The first server redirects to where the test says and has the right answer below /right; the second has it too. */
static void start(struct fixture *f, uint16_t tls_port)
{
    static const char right[] = "HTTP/1.1 200 OK\r\n\r\n" KEY_AUTHORIZATION;
    struct validators_options options = test_options();
    f->rows[0] = (struct tcp_row) { CHALLENGE_PATH, TCP_SEND, f->redirect };
    f->rows[1] = (struct tcp_row) { "/right", TCP_SEND, right };
    f->rows[2] = (struct tcp_row) { "/.well-known/acme-challenge/right", TCP_SEND, right };
    f->server = tcp_server_start(f->rows, 3);
    f->second = tcp_server_start(f->rows + 1, 1);
    options.hosts = hosts;
    options.host_count = 1;
    options.dns_timeout_ms = 100;
    options.http_port = tcp_server_port(f->server);
    options.tls_port = tls_port != 0 ? tls_port : tcp_server_port(f->second);
    f->validators = test_validators(&options);
}

static void stop(struct fixture *f)
{
    validators_drop(f->validators);
    tcp_server_stop(f->server);
    tcp_server_stop(f->second);
}

static void follow(struct fixture *f, const char *status, const char *location)
{
    char text[TEXT_SIZE];
    snprintf(text, TEXT_SIZE, "HTTP/1.1 %s\r\nContent-Length: 5\r\nLoCation: \t%s \r\n\r\nmoved", status, location);
    tcp_server_rewrite(f->server, f->redirect, TEXT_SIZE, text);
    validate(f->validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f->outcome);
}

/* [8555-8.3-6] */
static void statuses_that_redirect(void **state)
{
    (void)state;
    static const char *const statuses[] = { "301 x", "302 x", "307 x", "308 x" };
    static const char *const others[] = { "300 x", "304 x", "305 x", "201 x" };
    struct fixture f;
    start(&f, 0);
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        follow(&f, statuses[i], "/right");
        assert_true(f.outcome.ok);
        assert_has(f.outcome.trace, "\"location\":\"/right\"");
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        follow(&f, others[i], "/right");
        assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "it should answer 200");
    }
    follow(&f, "303 x", "/right");
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "answered 303, which is not followed");
    stop(&f);
}

static void ways_to_say_where(void **state)
{
    (void)state;
    struct fixture f;
    char other_name[64], other_port[64], no_scheme[64];
    start(&f, 0);
    snprintf(other_name, sizeof other_name, "http://b.test:%u/right", tcp_server_port(f.server));
    snprintf(other_port, sizeof other_port, "HTTP://B.TEST.:%u/right#part", tcp_server_port(f.second));
    snprintf(no_scheme, sizeof no_scheme, "//127.0.0.1:%u/right?x=y", tcp_server_port(f.second));
    const char *const places[] = { "right", "../../right", "/right?query=1", other_name, other_port, no_scheme };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        follow(&f, "302 Found", places[i]);
        if (!f.outcome.ok)
            fail_msg("%s: %s", places[i], f.outcome.problem.detail);
    }
    assert_has(f.outcome.trace, "\"step\":\"http\"");
    stop(&f);
}

static void loops_end(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 0);
    follow(&f, "302 Found", CHALLENGE_PATH "/again");
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "the redirects lead back to http://a.test:");
    assert_has(f.outcome.problem.detail, CHALLENGE_PATH "/again");
    assert_int_equal(tcp_server_requests(f.server), 2);
    follow(&f, "302 Found", TOKEN "/deeper"); /* which makes the path longer each time */
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "redirects once more; 10 redirects are followed at most");
    assert_int_equal(tcp_server_requests(f.server), 2 + 11);
    stop(&f);
}

static void places_that_are_not_visited(void **state)
{
    (void)state;
    static const struct {
        const char *location, *why;
    } rows[] = {
        { "http://b.test:22/", "redirects to \"http://b.test:22/\": port 22 is not one of " },
        { "ftp://b.test/", "only http and https are followed" },
        { "file:///etc/passwd", "only http and https are followed" },
        { "http://user:pass@b.test/", "it cannot be read as a URL" },
        { "http://b.test:99999/", "it cannot be read as a URL" },
        { "http://b..test/", "its host is neither a DNS name nor an IP address" },
        { "http://b test/", "it cannot be read as a URL" },
        { "http://[fe80::1%25eth0]/", "its host is neither a DNS name nor an IP address" },
        { "http://b.test\x01/", "it cannot be read as a URL" },
        { "", "redirects to \"\": it names no Location" },
    };
    struct fixture f;
    start(&f, 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        follow(&f, "302 Found", rows[i].location);
        assert_problem(&f.outcome, PROBLEM_CONNECTION, rows[i].why);
    }
    assert_int_equal(tcp_server_requests(f.server), ARRAY_SIZE(rows));
    stop(&f);
}

static void unknown_host_behind_a_redirect(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 0);
    follow(&f, "302 Found", "http://elsewhere.invalid/");
    assert_problem(&f.outcome, PROBLEM_DNS, "A elsewhere.invalid: ");
    stop(&f);
}

/* [8737-4-1] */
static void tls_behind_a_redirect_is_not_verified(void **state)
{
    (void)state;
    struct fixture f;
    char location[64];
    struct tls_heard heard;
    struct tls_server *tls = tls_server_start(&(struct tls_script) { "http/1.1", "DNS:other.test", TLS_RIGHT, 0 });
    start(&f, tls_server_port(tls));
    snprintf(location, sizeof location, "https://b.test:%u/right", tls_server_port(tls));
    follow(&f, "302 Found", location);
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "while fetching https://b.test:");
    stop(&f);
    tls_server_stop(tls, &heard);
    assert_string_equal(heard.sni, "b.test");
    assert_null(strstr(heard.alpn, "acme-tls/1"));
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_that_redirect),
        cmocka_unit_test(ways_to_say_where),
        cmocka_unit_test(loops_end),
        cmocka_unit_test(places_that_are_not_visited),
        cmocka_unit_test(unknown_host_behind_a_redirect),
        cmocka_unit_test(tls_behind_a_redirect_is_not_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
