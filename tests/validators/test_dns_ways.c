#include "tests/validators/dns_server.h"

#include "validators/dns_plan.h"

#include <stdio.h>
#include <unistd.h>

enum { TXT = 16 };
#define NAME  "_acme-challenge.a.test"
#define VALUE "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"

static const char *const value[] = { VALUE };
static struct outcome outcome;

static void run_at(struct validators_options options, struct dns_server *server, const char *scheme, const char *name)
{
    char text[100];
    snprintf(text, sizeof text, "%s127.0.0.1:%u%s", scheme, dns_server_port(server), name);
    options.dns_server = text;
    struct validators *validators = test_validators(&options);
    validate(validators, CHALLENGE_DNS_01, dns_name("a.test"), &outcome);
    validators_drop(validators);
    dns_server_stop(server);
}

static void run(struct validators_options options, struct dns_server *server)
{
    run_at(options, server, "", "");
}

static void what_is_too_long_for_udp_comes_over_tcp(void **state)
{
    (void)state;
    const struct dns_row row = { NAME, TXT, DNS_TRUNCATE, 0, NULL, value, 1 };
    run(test_options(), dns_server_start(&row, 1));
    assert_true(outcome.ok);
}

static void over_tls(void **state)
{
    (void)state;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, value, 1 };
    run_at(test_options(), dns_server_start_tls(&row, 1), "tls://", "");
    assert_string_equal(outcome.problem.detail, "");
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"server\":\"tls://127.0.0.1:");
}

static void over_tls_where_the_server_is_not_the_one_named(void **state)
{
    (void)state;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, value, 1 };
    struct validators_options options = test_options();
    options.dns_timeout_ms = 1000;
    run_at(options, dns_server_start_tls(&row, 1), "tls://", "#dns.test");
    assert_problem(&outcome, PROBLEM_DNS, "(DNS over TLS failed: self-signed certificate)");
}

/* For as long as the system's roots are a file with the server's certificate alone */
static void over_tls_where_the_name_counts(void **state)
{
    (void)state;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, value, 1 };
    struct validators_options options = test_options();
    char path[] = "/tmp/caraway-roots-XXXXXX";
    close(mkstemp(path));
    setenv("SSL_CERT_FILE", path, 1);
    struct dns_server *server = dns_server_start_tls(&row, 1);
    dns_server_write_certificate(server, path);
    run_at(options, server, "tls://", "#dns.test");
    assert_string_equal(outcome.problem.detail, "");
    assert_true(outcome.ok);
    options.dns_timeout_ms = 1000;
    server = dns_server_start_tls(&row, 1);
    dns_server_write_certificate(server, path);
    run_at(options, server, "tls://", "#other.test");
    assert_problem(&outcome, PROBLEM_DNS, "(DNS over TLS failed: hostname mismatch)");
    unsetenv("SSL_CERT_FILE");
    unlink(path);
}

static void over_tls_where_none_is_spoken(void **state)
{
    (void)state;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, value, 1 };
    struct validators_options options = test_options();
    options.dns_timeout_ms = 1000;
    run_at(options, dns_server_start(&row, 1), "tls://", "");
    assert_problem(&outcome, PROBLEM_DNS, "(DNS over TLS failed: ");
}

/* [persist-7.8.1-1] the way of all types in DNS */
static void bogus_answers_say_why(void **state)
{
    (void)state;
    static const char anchor[] = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, value, 1 };
    char path[] = "/tmp/caraway-anchor-XXXXXX";
    struct validators_options options = test_options();
    int fd = mkstemp(path);
    assert_int_equal(write(fd, anchor, sizeof anchor - 1), sizeof anchor - 1);
    close(fd);
    options.dns_trust_anchor = path;
    run(options, dns_server_start(&row, 1));
    unlink(path);
    assert_problem(&outcome, PROBLEM_DNS, "DNSSEC validation failed: validation failure <" NAME ". TXT IN>");
    assert_has(outcome.trace, "\"bogus\":true");
}

/* RFC 8914: libunbound says SERVFAIL for every failure of a forwarder, which is asked for the reason itself. */
static void a_forwarder_says_why(void **state)
{
    (void)state;
    static const int rcodes[] = { 2, 5 };
    static const char *const text[] = { "since \"May\"\x1b" };
    for (size_t i = 0; i < ARRAY_SIZE(rcodes); i++) {
        const struct dns_row row = { NAME, TXT, DNS_EXTENDED, rcodes[i], NULL, text, 1 };
        run(test_options(), dns_server_start(&row, 1));
        assert_problem(&outcome, PROBLEM_DNS,
                       "TXT " NAME
                       ": the answer is SERVFAIL (Signature Expired: \"since \\\"May\\\"\\x1b\"), asked 127");
        assert_has(outcome.trace, "(Signature Expired: ");
    }
}

static void plan(const char *server, bool recursive, struct val_dns_plan *out)
{
    char why[VALIDATORS_WHY_SIZE] = "";
    const struct validators_options options = { .dns_server = server, .dns_recursive = recursive };
    bool ok = val_dns_plan_make(&options, out, why);
    assert_string_equal(why, "");
    assert_true(ok);
}

static void ways_to_ask(void **state)
{
    (void)state;
    struct val_dns_plan way;
    plan(NULL, false, &way);
    assert_true(way.resolv_conf);
    assert_string_equal(way.asked, "the servers in /etc/resolv.conf");
    plan(NULL, true, &way);
    assert_false(way.resolv_conf);
    assert_null(strstr(way.configuration, "forward-zone"));
    assert_string_equal(way.asked, "the authoritative servers");
    if (access(VAL_DNS_ROOT_ANCHOR, R_OK) == 0)
        assert_string_equal(way.trust_anchor, VAL_DNS_ROOT_ANCHOR);
    plan("192.0.2.1:53", false, &way);
    assert_has(way.configuration, " forward-addr: 192.0.2.1@53\n");
    plan("[2001:db8::1]:5353", false, &way);
    assert_has(way.configuration, " forward-addr: 2001:db8::1@5353\n");
    plan("tls://[2001:db8::1]:853#dns.test", false, &way);
    assert_true(way.tls);
    assert_int_equal(way.target.port, 853);
    assert_string_equal(way.target.name, "dns.test");
    assert_has(way.configuration, " tcp-upstream: yes\n");
}

static void trust_anchors_are_read_at_the_start(void **state)
{
    (void)state;
    struct val_dns_plan way;
    char why[VALIDATORS_WHY_SIZE] = "", path[] = "/tmp/caraway-anchor-XXXXXX";
    struct validators_options options = { .dns_server = "127.0.0.1:53", .dns_trust_anchor = path };
    int fd = mkstemp(path);
    assert_true(val_dns_plan_make(&options, &way, why)); /* an empty one trusts nobody */
    assert_int_equal(write(fd, "nonsense\n", 9), 9);
    close(fd);
    assert_false(val_dns_plan_make(&options, &way, why));
    assert_has(why, "holds no DS or DNSKEY records");
    unlink(path);
    assert_false(val_dns_plan_make(&options, &way, why));
}

static void texts_that_name_no_server(void **state)
{
    (void)state;
    static const char *const texts[] = { "",
                                         "nonsense",
                                         "192.0.2.1",
                                         "192.0.2.1:",
                                         "192.0.2.1:x",
                                         "192.0.2.1:65536",
                                         "192.0.2.1:5 3",
                                         ":53",
                                         "::1:53",
                                         "[192.0.2.1]:53",
                                         "[::1]53",
                                         "[::1:53",
                                         "dns.test:53",
                                         "192.0.2.1:53#dns.test",
                                         "tls://192.0.2.1:53#",
                                         "tls://192.0.2.1:53#a b",
                                         "tls://192.0.2.1:53#a\n x",
                                         "tls://",
                                         "192.0.2.1:53\n" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct val_dns_plan way;
        char why[VALIDATORS_WHY_SIZE] = "";
        const struct validators_options options = { .dns_server = texts[i] };
        assert_false(val_dns_plan_make(&options, &way, why));
        assert_has(why, "is not ADDRESS:PORT or tls://ADDRESS:PORT#NAME");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_long_for_udp_comes_over_tcp),
        cmocka_unit_test(over_tls),
        cmocka_unit_test(over_tls_where_the_server_is_not_the_one_named),
        cmocka_unit_test(over_tls_where_the_name_counts),
        cmocka_unit_test(over_tls_where_none_is_spoken),
        cmocka_unit_test(bogus_answers_say_why),
        cmocka_unit_test(a_forwarder_says_why),
        cmocka_unit_test(ways_to_ask),
        cmocka_unit_test(trust_anchors_are_read_at_the_start),
        cmocka_unit_test(texts_that_name_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
