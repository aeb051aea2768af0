#include "tests/validators/support.h"

#include <stdio.h>

struct fixture {
    struct tcp_server *server;
    struct validators *validators;
    struct outcome outcome;
};

static const char *const loopback[] = { "127.0.0.1" };
static const char *const loopback_v6_first[] = { "127.0.0.1", "::1" };
static const struct validators_host hosts[] = {
    { "a.test", loopback, 1 },
    { "*.wild.test", loopback, 1 },
    { "both.test", loopback_v6_first, 2 },
    { "none.test", NULL, 0 },
};

static void start(struct fixture *f, const struct tcp_row *rows, size_t count, int64_t total_ms)
{
    struct validators_options options = test_options();
    f->server = tcp_server_start(rows, count);
    options.hosts = hosts;
    options.host_count = ARRAY_SIZE(hosts);
    options.http_port = tcp_server_port(f->server);
    options.total_timeout_ms = total_ms;
    f->validators = test_validators(&options);
}

static void stop(struct fixture *f)
{
    validators_drop(f->validators);
    tcp_server_stop(f->server);
}

static void run(struct fixture *f, const struct tcp_row *rows, size_t count, const char *name)
{
    start(f, rows, count, 10000);
    validate(f->validators, CHALLENGE_HTTP_01, dns_name(name), &f->outcome);
    stop(f);
}

static void run_one(struct fixture *f, enum tcp_action action, const char *text)
{
    struct tcp_row row = { CHALLENGE_PATH, action, text };
    run(f, &row, 1, "a.test");
}

static const struct tcp_row right[] = {
    { CHALLENGE_PATH, TCP_SEND, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" KEY_AUTHORIZATION },
};

/* [8555-8.3-7] */
static void succeeds_and_asks_politely(void **state)
{
    (void)state;
    struct fixture f;
    char host[64];
    start(&f, right, 1, 10000);
    validate(f.validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f.outcome);
    assert_true(f.outcome.ok);
    const char *request = tcp_server_last_request(f.server);
    snprintf(host, sizeof host, "\r\nHost: a.test:%u\r\n", tcp_server_port(f.server));
    assert_int_equal(strncmp(request, "GET " CHALLENGE_PATH " HTTP/1.1\r\n", sizeof CHALLENGE_PATH + 13), 0);
    assert_has(request, host);
    assert_has(request, "\r\nAccept: */*\r\n");
    assert_has(request, "\r\nConnection: close\r\n");
    assert_has(request, "\r\nUser-Agent: caraway-test\r\n");
    assert_null(strstr(request, "Accept-Encoding"));
    assert_has(f.outcome.trace, "{\"step\":\"hosts\",\"at_ms\":");
    assert_has(f.outcome.trace, "\"took_ms\":0,\"name\":\"a.test\"");
    assert_has(f.outcome.trace, "\"status\":200");
    stop(&f);
}

/* [8555-8.3-5] */
static void trailing_white_space_is_no_difference(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_SEND, "HTTP/1.1 200 OK\r\n\r\n" KEY_AUTHORIZATION "\r\n \t");
    assert_true(f.outcome.ok);
}

static void chunked_answers_are_read(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_SEND,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n57\r\n" KEY_AUTHORIZATION "\r\n0\r\n\r\n");
    assert_true(f.outcome.ok);
}

/* [8738-4-1] [8738-4-2] [8738-5-1] */
static void wildcard_hosts_and_ip_identifiers(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, right, 1, 10000);
    validate(f.validators, CHALLENGE_HTTP_01, dns_name("x.y.wild.test"), &f.outcome);
    assert_true(f.outcome.ok);
    validate(f.validators, CHALLENGE_HTTP_01, ip_name("127.0.0.1"), &f.outcome);
    assert_true(f.outcome.ok);
    assert_has(tcp_server_last_request(f.server), "\r\nHost: 127.0.0.1:");
    assert_null(strstr(f.outcome.trace, "\"step\":\"dns\""));
    validate(f.validators, CHALLENGE_HTTP_01, dns_name("none.test"), &f.outcome);
    assert_problem(&f.outcome, PROBLEM_DNS, "none.test: dns.hosts gives this name no address");
    stop(&f);
}

static void ipv4_follows_a_refused_ipv6(void **state)
{
    (void)state;
    struct fixture f;
    run(&f, right, 1, "both.test");
    assert_true(f.outcome.ok);
    assert_has(f.outcome.trace, "\"address\":\"[::1]:");
    assert_has(f.outcome.trace, "\"address\":\"127.0.0.1:");
}

static void wrong_status(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_SEND, "HTTP/1.1 404 Not Found\r\n\r\nnot here");
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED,
                   CHALLENGE_PATH " answered 404 \"not here\"; it should answer 200 with the key authorization");
    assert_int_equal(strncmp(f.outcome.problem.detail, "127.0.0.1:", 10), 0);
}

static void wrong_body(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_SEND, "HTTP/1.1 200 OK\r\n\r\n\x01\"caf\xc3\xa9\\" KEY_AUTHORIZATION);
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "answered 200 with \"\\x01\\\"caf\\xc3\\xa9\\\\" TOKEN);
    assert_has(f.outcome.problem.detail, "with the key authorization \"" KEY_AUTHORIZATION "\"");
}

/* [8555-8.3-4] */
static void almost_right_bodies(void **state)
{
    (void)state;
    static const char *const bodies[] = { "", TOKEN, " " KEY_AUTHORIZATION, KEY_AUTHORIZATION "x",
                                          TOKEN ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqT" };
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        struct fixture f;
        char text[512];
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(bodies[i]), bodies[i]);
        run_one(&f, TCP_SEND, text);
        assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "it should answer with the key authorization");
    }
}

static void body_at_and_over_the_limit(void **state)
{
    (void)state;
    struct fixture f;
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n\r\n%-128s", KEY_AUTHORIZATION);
    run_one(&f, TCP_SEND, text);
    assert_true(f.outcome.ok);
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n\r\n%-129s", KEY_AUTHORIZATION);
    run_one(&f, TCP_SEND, text);
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "answered 200 with more than 128 bytes");
}

static void refused_connection(void **state)
{
    (void)state;
    struct validators_options options = test_options();
    struct outcome outcome;
    char detail[300];
    options.http_port = unused_port();
    options.hosts = hosts;
    options.host_count = ARRAY_SIZE(hosts);
    AUTO(validators) validators = test_validators(&options);
    validate(validators, CHALLENGE_HTTP_01, dns_name("a.test"), &outcome);
    snprintf(detail, sizeof detail,
             "127.0.0.1:%u: connection refused while fetching http://a.test:%u" CHALLENGE_PATH
             ": is something listening on that port?",
             options.http_port, options.http_port);
    assert_problem(&outcome, PROBLEM_CONNECTION, detail);
}

static void reset_connection(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_RESET, NULL);
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "the connection broke while fetching http://a.test");
}

static void closed_connection(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_END, NULL);
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "closed without an answer");
}

static void incomplete_answer(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_END, "HTTP/1.1 200 OK\r\nContent-Length: 87\r\n\r\n" TOKEN);
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "the connection broke");
}

static void not_http(void **state)
{
    (void)state;
    struct fixture f;
    run_one(&f, TCP_SEND, "SSH-2.0-OpenSSH_9.2\r\n");
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "the answer is not HTTP/1.1");
}

static void endless_header(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(text, 100000);
    buf_text(&text, "HTTP/1.1 200 OK\r\n");
    while (text.len < 40000)
        buf_text(&text, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    run_one(&f, TCP_SEND_THEN_HANG, buf_str(&text));
    assert_problem(&f.outcome, PROBLEM_CONNECTION, "the answer's header is too long");
}

static void run_hanging(struct fixture *f, const char *text)
{
    struct tcp_row row = { CHALLENGE_PATH, TCP_SEND_THEN_HANG, text };
    start(f, &row, 1, 100);
    validate(f->validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f->outcome);
    stop(f);
}

static void slow_answers(void **state)
{
    (void)state;
    static const char *const texts[] = { NULL, "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n" TOKEN };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct fixture f;
        run_hanging(&f, texts[i]);
        assert_problem(&f.outcome, PROBLEM_CONNECTION, "timeout while waiting for the answer while fetching");
    }
}

static void body_that_never_ends_is_refused_early(void **state)
{
    (void)state;
    struct fixture f;
    char text[512];
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n\r\n%200s", "");
    struct tcp_row row = { CHALLENGE_PATH, TCP_SEND_THEN_HANG, text };
    run(&f, &row, 1, "a.test");
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "with more than 128 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(succeeds_and_asks_politely),
        cmocka_unit_test(trailing_white_space_is_no_difference),
        cmocka_unit_test(chunked_answers_are_read),
        cmocka_unit_test(wildcard_hosts_and_ip_identifiers),
        cmocka_unit_test(ipv4_follows_a_refused_ipv6),
        cmocka_unit_test(wrong_status),
        cmocka_unit_test(wrong_body),
        cmocka_unit_test(almost_right_bodies),
        cmocka_unit_test(body_at_and_over_the_limit),
        cmocka_unit_test(refused_connection),
        cmocka_unit_test(reset_connection),
        cmocka_unit_test(closed_connection),
        cmocka_unit_test(incomplete_answer),
        cmocka_unit_test(not_http),
        cmocka_unit_test(endless_header),
        cmocka_unit_test(slow_answers),
        cmocka_unit_test(body_that_never_ends_is_refused_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
