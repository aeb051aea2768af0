#include "tests/validators/tls_server.h"

#include <signal.h>
#include <stdio.h>

#define ALPN "acme-tls/1"

static const char *const loopback[] = { "127.0.0.1" };
static const char *const both[] = { "::1", "127.0.0.1" };
static const struct validators_host hosts[] = { { "a.test", loopback, 1 }, { "both.test", both, 2 } };

static struct validators *validators_for(uint16_t port, int64_t connect_ms, int64_t total_ms)
{
    struct validators_options options = test_options();
    options.hosts = hosts;
    options.host_count = ARRAY_SIZE(hosts);
    options.tls_port = port;
    options.connect_timeout_ms = connect_ms;
    options.total_timeout_ms = total_ms;
    return test_validators(&options);
}

static void run(const struct tls_script *script, struct acme_identifier identifier, struct outcome *out,
                struct tls_heard *heard)
{
    struct tls_server *server = tls_server_start(script);
    struct validators *validators = validators_for(tls_server_port(server), 5000, 10000);
    validate(validators, CHALLENGE_TLS_ALPN_01, identifier, out);
    validators_drop(validators);
    tls_server_stop(server, heard);
}

/* [8737-3-9] [8737-3-10] [8737-4-2] [8737-4-3] */
static void right_certificate(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "DNS:a.test", TLS_RIGHT, 0 }, dns_name("a.test"), &outcome, &heard);
    assert_true(outcome.ok);
    assert_string_equal(heard.sni, "a.test");
    assert_string_equal(heard.alpn, ALPN);
    assert_false(heard.data);
    assert_true(heard.closed);
    assert_has(outcome.trace, "\"step\":\"tls\"");
    assert_has(outcome.trace, "\"sni\":\"a.test\",\"alpn\":\"acme-tls/1\",\"names\":\"dns:a.test\"");
}

static void tls_1_2_will_do_and_case_is_no_difference(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "DNS:A.tEsT", TLS_RIGHT, TLS1_2_VERSION }, dns_name("a.test"), &outcome, &heard);
    assert_true(outcome.ok);
}

/* [8738-4-1] [8738-4-2] [8738-6-2] */
static void ip_identifiers(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "IP:127.0.0.1", TLS_RIGHT, 0 }, ip_name("127.0.0.1"), &outcome, &heard);
    assert_true(outcome.ok);
    assert_string_equal(heard.sni, "1.0.0.127.in-addr.arpa");
    assert_null(strstr(outcome.trace, "\"step\":\"dns\""));
}

static void ipv4_follows_a_refused_ipv6(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "DNS:both.test", TLS_RIGHT, 0 }, dns_name("both.test"), &outcome, &heard);
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"address\":\"[::1]:");
}

/* [8737-3-11] */
static void wrong_alpn(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { NULL, "DNS:a.test", TLS_RIGHT, 0 }, dns_name("a.test"), &outcome, &heard);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "chose ALPN \"\"; it should choose acme-tls/1");
    run(&(struct tls_script) { "!", "DNS:a.test", TLS_RIGHT, 0 }, dns_name("a.test"), &outcome, &heard);
    assert_problem(&outcome, PROBLEM_TLS, "the TLS handshake with SNI a.test and ALPN acme-tls/1 failed: ");
    assert_has(outcome.problem.detail, "no application protocol");
}

/* [8737-4-4] */
static void old_tls(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "DNS:a.test", TLS_RIGHT, TLS1_1_VERSION }, dns_name("a.test"), &outcome, &heard);
    assert_problem(&outcome, PROBLEM_TLS, "the TLS handshake with SNI a.test");
}

static void flawed_certificate(void **state)
{
    (void)state;
    struct outcome outcome;
    struct tls_heard heard;
    run(&(struct tls_script) { ALPN, "DNS:a.test", TLS_WRONG_DIGEST, 0 }, dns_name("a.test"), &outcome, &heard);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED,
                   "the certificate for SNI a.test: its acmeIdentifier is not the SHA-256");
}

static void refused_connection(void **state)
{
    (void)state;
    struct outcome outcome;
    char detail[160];
    uint16_t port = unused_port();
    AUTO(validators) validators = validators_for(port, 5000, 10000);
    validate(validators, CHALLENGE_TLS_ALPN_01, dns_name("a.test"), &outcome);
    snprintf(detail, sizeof detail,
             "127.0.0.1:%u: connection refused while connecting for tls-alpn-01 of a.test: is something listening",
             port);
    assert_problem(&outcome, PROBLEM_CONNECTION, detail);
}

/* The scripted server waits for the end of an HTTP request, which never comes. */
static void run_silent(int64_t connect_ms, int64_t total_ms, struct outcome *out)
{
    struct tcp_server *server = tcp_server_start(NULL, 0);
    struct validators *validators = validators_for(tcp_server_port(server), connect_ms, total_ms);
    validate(validators, CHALLENGE_TLS_ALPN_01, dns_name("a.test"), out);
    validators_drop(validators);
    tcp_server_stop(server);
}

static void silent_peer(void **state)
{
    (void)state;
    struct outcome outcome;
    run_silent(100, 10000, &outcome);
    assert_problem(&outcome, PROBLEM_TLS, "failed: timeout during the handshake");
    run_silent(10000, 100, &outcome);
    assert_problem(&outcome, PROBLEM_TLS, "failed: no answer in the time for the whole validation");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_certificate),  cmocka_unit_test(tls_1_2_will_do_and_case_is_no_difference),
        cmocka_unit_test(ip_identifiers),     cmocka_unit_test(ipv4_follows_a_refused_ipv6),
        cmocka_unit_test(wrong_alpn),         cmocka_unit_test(old_tls),
        cmocka_unit_test(flawed_certificate), cmocka_unit_test(refused_connection),
        cmocka_unit_test(silent_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
