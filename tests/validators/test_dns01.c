#include "tests/validators/dns_server.h"

#include "base/encode.h"

#include <stdio.h>

enum { A = 1, TXT = 16, AAAA = 28, SERVFAIL = 2, REFUSED = 5 };
/* base64url(SHA-256(KEY_AUTHORIZATION)) in one string, and cut in three */
#define VALUE       "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"
#define SPLIT_VALUE "lCM7cZyQXcVHK2nn||W3jjAhNT3Fvm18UN-kWZZknK|oYM"
#define NAME        "_acme-challenge.a.test"

struct fixture {
    struct dns_server *server;
    struct validators *validators;
    struct outcome outcome;
    char asked[40];
};

static void start(struct fixture *f, const struct dns_row *rows, size_t count, int64_t dns_ms, int64_t total_ms)
{
    struct validators_options options = test_options();
    f->server = dns_server_start(rows, count);
    snprintf(f->asked, sizeof f->asked, "127.0.0.1:%u", dns_server_port(f->server));
    options.dns_server = f->asked;
    options.dns_timeout_ms = dns_ms;
    options.total_timeout_ms = total_ms;
    f->validators = test_validators(&options);
}

static void stop(struct fixture *f)
{
    validators_drop(f->validators);
    dns_server_stop(f->server);
}

static void run(struct fixture *f, const struct dns_row *row)
{
    start(f, row, 1, 5000, 10000);
    validate(f->validators, CHALLENGE_DNS_01, dns_name("a.test"), &f->outcome);
    stop(f);
}

static void run_texts(struct fixture *f, const char *const *texts, size_t count)
{
    struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, texts, count };
    run(f, &row);
}

static void the_value_above_is_right(void **state)
{
    (void)state;
    uint8_t digest[SHA256_BYTES];
    AUTO_BUF(text, 64);
    crypto_digest_sha256(bytes_text(KEY_AUTHORIZATION), digest);
    buf_b64url(&text, bytes_of(digest, sizeof digest));
    assert_string_equal(buf_str(&text), VALUE);
}

static void right_value(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, (const char *const[]) { VALUE }, 1);
    assert_true(f.outcome.ok);
    assert_has(f.outcome.trace, "\"name\":\"" NAME "\",\"type\":\"TXT\",\"server\":\"127.0.0.1:");
    assert_has(f.outcome.trace, "\"rcode\":\"NOERROR\",\"secure\":false,\"bogus\":false,\"answers\":[\"" VALUE "\"]");
}

/* [8555-8.4-3] */
static void right_value_among_many(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, (const char *const[]) { "v=spf1 -all", "", "x", VALUE, "y" }, 5);
    assert_true(f.outcome.ok);
}

static void strings_of_one_record_are_joined(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, (const char *const[]) { SPLIT_VALUE }, 1);
    assert_true(f.outcome.ok);
    assert_has(f.outcome.trace, "[\"" VALUE "\"]");
}

static void records_are_not_joined(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, (const char *const[]) { "lCM7cZyQXcVHK2nn", "W3jjAhNT3Fvm18UN-kWZZknKoYM" }, 2);
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "(and 1 more)");
}

/* [8555-8.4-3] */
static void wrong_values(void **state)
{
    (void)state;
    static const char *const values[] = { "", "wrong", VALUE "x", KEY_AUTHORIZATION };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct fixture f;
        char detail[200];
        run_texts(&f, &values[i], 1);
        snprintf(detail, sizeof detail, "TXT " NAME ": found \"%s\", asked ", values[i]);
        assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, detail);
        assert_has(f.outcome.problem.detail, "one record should be \"" VALUE "\"");
    }
}

static void hostile_value_is_shown_harmless(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, (const char *const[]) { "\"\r\n\x1b[31m\xff" }, 1);
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "found \"\\\"\\x0d\\x0a\\x1b[31m\\xff\", asked");
}

static void cnames_are_followed(void **state)
{
    (void)state;
    struct fixture f;
    const struct dns_row rows[] = {
        { NAME, 0, DNS_ANSWER, 0, "elsewhere.test", NULL, 0 },
        { "elsewhere.test", TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { VALUE }, 1 },
    };
    start(&f, rows, 2, 5000, 10000);
    validate(f.validators, CHALLENGE_DNS_01, dns_name("a.test"), &f.outcome);
    assert_true(f.outcome.ok);
    stop(&f);
}

static void unknown_name(void **state)
{
    (void)state;
    struct fixture f;
    char detail[120];
    struct dns_row row = { "other.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    run(&f, &row);
    snprintf(detail, sizeof detail, "TXT " NAME ": name does not exist (NXDOMAIN), asked %s", f.asked);
    assert_problem(&f.outcome, PROBLEM_DNS, detail);
}

static void no_txt_records(void **state)
{
    (void)state;
    struct fixture f;
    run_texts(&f, NULL, 0);
    assert_problem(&f.outcome, PROBLEM_UNAUTHORIZED, "TXT " NAME ": name exists, but has no such records (NOERROR)");
}

static void response_codes(void **state)
{
    (void)state;
    static const int rcodes[] = { SERVFAIL, REFUSED };
    for (size_t i = 0; i < ARRAY_SIZE(rcodes); i++) {
        struct fixture f;
        struct dns_row row = { NAME, TXT, DNS_ANSWER, rcodes[i], NULL, NULL, 0 };
        run(&f, &row);
        assert_problem(&f.outcome, PROBLEM_DNS, "TXT " NAME ": the answer is ");
    }
}

static void silent_server(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_row row = { "", 0, DNS_SILENCE, 0, NULL, NULL, 0 };
    start(&f, &row, 1, 100, 10000);
    validate(f.validators, CHALLENGE_DNS_01, dns_name("a.test"), &f.outcome);
    assert_problem(&f.outcome, PROBLEM_DNS, "TXT " NAME ": no answer within 100 ms, asked 127.0.0.1:");
    validate(f.validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f.outcome);
    assert_problem(&f.outcome, PROBLEM_DNS, "A a.test: no answer within 100 ms");
    stop(&f);
}

static void total_timeout_while_asking(void **state)
{
    (void)state;
    static const enum acme_challenge_type types[] = { CHALLENGE_DNS_01, CHALLENGE_HTTP_01, CHALLENGE_TLS_ALPN_01 };
    struct fixture f;
    struct dns_row row = { "", 0, DNS_SILENCE, 0, NULL, NULL, 0 };
    start(&f, &row, 1, 10000, 100);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        validate(f.validators, types[i], dns_name("a.test"), &f.outcome);
        assert_problem(&f.outcome, PROBLEM_DNS, "no answer in the time for the whole validation");
    }
    stop(&f);
}

static void total_timeout_with_one_answer_of_two(void **state)
{
    (void)state;
    static const enum acme_challenge_type types[] = { CHALLENGE_HTTP_01, CHALLENGE_TLS_ALPN_01 };
    struct fixture f;
    const struct dns_row rows[] = {
        { "a.test", A, DNS_ANSWER, 0, NULL, (const char *const[]) { "127.0.0.1" }, 1 },
        { "a.test", AAAA, DNS_SILENCE, 0, NULL, NULL, 0 },
    };
    start(&f, rows, 2, 10000, 100);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        validate(f.validators, types[i], dns_name("a.test"), &f.outcome);
        assert_problem(&f.outcome, PROBLEM_DNS, "AAAA and A a.test: no answer in the time for the whole validation");
        assert_has(f.outcome.trace, "\"answers\":[\"127.0.0.1\"]");
    }
    stop(&f);
}

static void nothing_is_remembered(void **state)
{
    (void)state;
    struct fixture f;
    const struct dns_row rows[] = {
        { NAME, TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { VALUE }, 1 },
        { "_acme-challenge.empty.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 },
    };
    static const char *const names[] = { "a.test", "empty.test", "missing.test" };
    start(&f, rows, 2, 5000, 10000);
    for (unsigned i = 0; i < 9; i++) {
        validate(f.validators, CHALLENGE_DNS_01, dns_name(names[i % 3]), &f.outcome);
        assert_int_equal(f.outcome.ok, i % 3 == 0);
        assert_int_equal(dns_server_questions(f.server), i + 1);
    }
    stop(&f);
}

static void failures_are_not_remembered(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_row row = { NAME, TXT, DNS_ANSWER, SERVFAIL, NULL, (const char *const[]) { VALUE }, 1 };
    start(&f, &row, 1, 5000, 10000);
    validate(f.validators, CHALLENGE_DNS_01, dns_name("a.test"), &f.outcome);
    assert_problem(&f.outcome, PROBLEM_DNS, "TXT " NAME ": the answer is SERVFAIL");
    unsigned before = dns_server_questions(f.server);
    validate(f.validators, CHALLENGE_DNS_01, dns_name("a.test"), &f.outcome);
    assert_true(dns_server_questions(f.server) > before);
    stop(&f);
}

static void names_that_libunbound_would_answer_itself(void **state)
{
    (void)state;
    static const char *const names[] = { "localhost", "a.localhost",           "test",    "a.home.arpa",
                                         "a.invalid", "1.0.0.10.in-addr.arpa", "a.onion", "x.254.169.in-addr.arpa",
                                         "a.internal" };
    struct dns_row row = { "", TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { VALUE }, 1 };
    struct fixture f;
    start(&f, &row, 1, 5000, 10000);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        validate(f.validators, CHALLENGE_DNS_01, dns_name(names[i]), &f.outcome);
        if (!f.outcome.ok)
            fail_msg("%s", f.outcome.problem.detail);
    }
    stop(&f);
}

static void longest_name(void **state)
{
    (void)state;
    char name[IDENTIFIER_MAX_BYTES + 1];
    struct fixture f;
    struct dns_row row = { "", TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { VALUE }, 1 };
    memset(name, 'a', sizeof name - 1);
    for (size_t i = 49; i < sizeof name - 2; i += 50)
        name[i] = '.';
    name[sizeof name - 1] = '\0';
    start(&f, &row, 1, 5000, 10000);
    validate(f.validators, CHALLENGE_DNS_01, dns_name(name), &f.outcome);
    assert_problem(&f.outcome, PROBLEM_DNS, "TXT _acme-challenge.aaa");
    stop(&f);
}

/* http-01 finds its address by AAAA and A. */
static void run_addresses(struct fixture *f, const struct dns_row *rows, size_t count)
{
    start(f, rows, count, 5000, 10000);
    validate(f->validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f->outcome);
    stop(f);
}

static void addresses_from_dns(void **state)
{
    (void)state;
    struct fixture f;
    static const struct tcp_row right = { CHALLENGE_PATH, TCP_SEND, "HTTP/1.1 200 OK\r\n\r\n" KEY_AUTHORIZATION };
    const struct dns_row rows[] = {
        { "a.test", AAAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 },
        { "a.test", A, DNS_ANSWER, 0, NULL, (const char *const[]) { "127.0.0.1" }, 1 },
    };
    struct tcp_server *tcp = tcp_server_start(&right, 1);
    struct validators_options options = test_options();
    f.server = dns_server_start(rows, 2);
    snprintf(f.asked, sizeof f.asked, "127.0.0.1:%u", dns_server_port(f.server));
    options.dns_server = f.asked;
    options.http_port = tcp_server_port(tcp);
    f.validators = test_validators(&options);
    validate(f.validators, CHALLENGE_HTTP_01, dns_name("a.test"), &f.outcome);
    assert_true(f.outcome.ok);
    assert_has(f.outcome.trace, "\"type\":\"A\"");
    assert_has(f.outcome.trace, "\"answers\":[\"127.0.0.1\"]");
    stop(&f);
    tcp_server_stop(tcp);
}

static void no_address(void **state)
{
    (void)state;
    struct fixture f;
    const struct dns_row empty = { "a.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    const struct dns_row other = { "b.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    run_addresses(&f, &empty, 1);
    assert_problem(&f.outcome, PROBLEM_DNS,
                   "a.test: the name has neither AAAA nor A records (NOERROR), asked 127.0.0.1:");
    run_addresses(&f, &other, 1);
    assert_problem(&f.outcome, PROBLEM_DNS, "A a.test: name does not exist (NXDOMAIN), asked 127.0.0.1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_above_is_right),
        cmocka_unit_test(right_value),
        cmocka_unit_test(right_value_among_many),
        cmocka_unit_test(strings_of_one_record_are_joined),
        cmocka_unit_test(records_are_not_joined),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(hostile_value_is_shown_harmless),
        cmocka_unit_test(cnames_are_followed),
        cmocka_unit_test(unknown_name),
        cmocka_unit_test(no_txt_records),
        cmocka_unit_test(response_codes),
        cmocka_unit_test(silent_server),
        cmocka_unit_test(total_timeout_while_asking),
        cmocka_unit_test(total_timeout_with_one_answer_of_two),
        cmocka_unit_test(nothing_is_remembered),
        cmocka_unit_test(failures_are_not_remembered),
        cmocka_unit_test(names_that_libunbound_would_answer_itself),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(addresses_from_dns),
        cmocka_unit_test(no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
