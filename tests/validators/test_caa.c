#include "tests/validators/dns_server.h"

#include <stdio.h>

enum { TXT = 16, CAA = 257, SERVFAIL = 2 };
#define VALUE "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"

static const char *const issuers[] = { "ca.test" };
#define TEXTS(...) (const char *const[]) { __VA_ARGS__ }, ARRAY_SIZE(((const char *const[]) { __VA_ARGS__ }))

static struct outcome outcome;
static unsigned questions;

static void run_with(const struct validators_options *base, const struct dns_row *rows, size_t count,
                     struct validation asked, bool alone)
{
    struct validators_options options = *base;
    char server_text[40];
    struct dns_server *server = dns_server_start(rows, count);
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", dns_server_port(server));
    options.dns_server = server_text;
    struct validators *validators = test_validators(&options);
    asked.issuers = issuers;
    asked.issuer_count = ARRAY_SIZE(issuers);
    asked.account_url = ACCOUNT_URL;
    asked.token = TOKEN;
    asked.key_authorization = KEY_AUTHORIZATION;
    if (alone)
        check_caa(validators, asked, &outcome);
    else
        validate_this(validators, asked, &outcome);
    questions = dns_server_questions(server);
    validators_drop(validators);
    dns_server_stop(server);
}

/* CAA alone, at a.b.test */
static void run(const struct dns_row *rows, size_t count, enum caa_mode mode)
{
    struct validators_options options = test_options();
    options.caa_mode = mode;
    run_with(&options, rows, count,
             (struct validation) { .type = CHALLENGE_HTTP_01, .identifier = dns_name("a.b.test") }, true);
}

static void no_records_anywhere(void **state)
{
    (void)state;
    const struct dns_row rows[] = { { "b.test", CAA, DNS_ANSWER, 0, NULL, NULL, 0 } };
    run(rows, ARRAY_SIZE(rows), CAA_ENFORCE);
    assert_true(outcome.ok);
    assert_false(outcome.warned);
    assert_int_equal(questions, 3);
    assert_has(outcome.trace, "\"name\":\"a.b.test\",\"type\":\"CAA\"");
    assert_has(outcome.trace, "\"step\":\"caa\"");
    assert_has(outcome.trace, "\"verdict\":\"no records\"");
}

static void the_nearest_set_counts(void **state)
{
    (void)state;
    const struct dns_row near[] = { { "a.b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ca.test") },
                                    { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ;") } };
    run(near, ARRAY_SIZE(near), CAA_ENFORCE);
    assert_true(outcome.ok);
    const struct dns_row far[] = { { "test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue other.test") } };
    run(far, ARRAY_SIZE(far), CAA_ENFORCE);
    assert_problem(&outcome, PROBLEM_CAA,
                   "CAA record at test prevents issuance for a.b.test: 0 issue \"other.test\" names another authority");
    assert_has(outcome.problem.detail, "named by 0 issue \"ca.test\"");
    assert_has(outcome.trace, "\"answers\":[\"0 issue \\\"other.test\\\"\"]");
    assert_has(outcome.trace, "\"name\":\"test\",\"verdict\":\"refused\"");
}

static void an_error_counts_when_it_is_nearer(void **state)
{
    (void)state;
    const struct dns_row nearer[] = { { "b.test", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 },
                                      { "test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ca.test") } };
    run(nearer, ARRAY_SIZE(nearer), CAA_ENFORCE);
    assert_problem(&outcome, PROBLEM_DNS, "CAA b.test: the answer is SERVFAIL (the zone");
    const struct dns_row farther[] = { { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ca.test") },
                                       { "test", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 } };
    run(farther, ARRAY_SIZE(farther), CAA_ENFORCE);
    assert_true(outcome.ok);
}

static void a_farther_answer_is_not_waited_for(void **state)
{
    (void)state;
    const struct dns_row rows[] = { { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ca.test") },
                                    { "test", CAA, DNS_SILENCE, 0, NULL, NULL, 0 } };
    run(rows, ARRAY_SIZE(rows), CAA_ENFORCE);
    assert_true(outcome.ok);
}

static void silence_is_an_error(void **state)
{
    (void)state;
    struct validators_options options = test_options();
    const struct validation asked = { .type = CHALLENGE_HTTP_01, .identifier = dns_name("a.b.test") };
    const struct dns_row rows[] = { { "test", CAA, DNS_SILENCE, 0, NULL, NULL, 0 } };
    options.caa_mode = CAA_ENFORCE;
    options.dns_timeout_ms = 50;
    run_with(&options, rows, ARRAY_SIZE(rows), asked, true);
    assert_problem(&outcome, PROBLEM_DNS, "CAA test: no answer within 50 ms");
    options.dns_timeout_ms = 5000;
    options.total_timeout_ms = 50;
    run_with(&options, rows, ARRAY_SIZE(rows), asked, true);
    assert_problem(&outcome, PROBLEM_DNS, "CAA test: no answer in the time for the whole validation");
}

static void an_alias_leads_to_the_records(void **state)
{
    (void)state;
    const struct dns_row rows[] = { { "a.b.test", CAA, DNS_ANSWER, 0, "c.other", NULL, 0 },
                                    { "c.other", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ;") },
                                    { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ca.test") } };
    run(rows, ARRAY_SIZE(rows), CAA_ENFORCE);
    assert_problem(&outcome, PROBLEM_CAA, "CAA record at a.b.test prevents issuance");
}

static void wildcards_and_restrictions_reach_the_decision(void **state)
{
    (void)state;
    struct validators_options options = test_options();
    struct validation asked = { .type = CHALLENGE_DNS_01, .identifier = dns_name("b.test"), .wildcard = true };
    const struct dns_row rows[] = {
        { "b.test", CAA, DNS_ANSWER, 0, NULL,
          TEXTS("0 issue ;", "0 issuewild ca.test; validationmethods=dns-01; accounturi=" ACCOUNT_URL) }
    };
    options.caa_mode = CAA_ENFORCE;
    run_with(&options, rows, ARRAY_SIZE(rows), asked, true);
    assert_true(outcome.ok);
    asked.type = CHALLENGE_DNS_ACCOUNT_01;
    run_with(&options, rows, ARRAY_SIZE(rows), asked, true);
    assert_problem(&outcome, PROBLEM_CAA, "prevents issuance for *.b.test: 0 issuewild \"ca.test; validationmethods");
    asked.type = CHALLENGE_DNS_01;
    asked.wildcard = false;
    asked.subdomains = true; /* the names below are asked for when one of them is to be in a certificate */
    run_with(&options, rows, ARRAY_SIZE(rows), asked, true);
    assert_problem(&outcome, PROBLEM_CAA, "prevents issuance for b.test: 0 issue \";\" allows nobody");
}

static void off_and_warn(void **state)
{
    (void)state;
    const struct dns_row rows[] = { { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue ;") } };
    run(rows, ARRAY_SIZE(rows), CAA_OFF);
    assert_true(outcome.ok);
    assert_int_equal(questions, 0);
    run(rows, ARRAY_SIZE(rows), CAA_WARN);
    assert_true(outcome.ok);
    assert_true(outcome.warned);
    assert_has(outcome.problem.detail, "CAA record at b.test prevents issuance");
    assert_has(outcome.trace, "\"verdict\":\"warned\"");
}

static void addresses_and_names_outside_dns_are_not_asked_for(void **state)
{
    (void)state;
    struct validators_options options = test_options();
    const struct validators_host hosts[] = { { "*.b.test", TEXTS("127.0.0.1") } };
    struct validation asked = { .type = CHALLENGE_HTTP_01, .identifier = dns_name("a.b.test") };
    options.caa_mode = CAA_ENFORCE;
    options.hosts = hosts;
    options.host_count = ARRAY_SIZE(hosts);
    run_with(&options, NULL, 0, asked, true);
    assert_true(outcome.ok);
    assert_int_equal(questions, 0);
    asked.identifier = ip_name("127.0.0.1");
    run_with(&options, NULL, 0, asked, true);
    assert_true(outcome.ok);
    assert_int_equal(questions, 0);
}

static void a_validation_ends_with_caa(void **state)
{
    (void)state;
    struct validators_options options = test_options();
    const struct validation asked = { .type = CHALLENGE_DNS_01, .identifier = dns_name("a.b.test") };
    struct dns_row rows[] = { { "_acme-challenge.a.b.test", TXT, DNS_ANSWER, 0, NULL, TEXTS("wrong") },
                              { "b.test", CAA, DNS_ANSWER, 0, NULL, TEXTS("0 issue other.test") } };
    options.caa_mode = CAA_ENFORCE;
    run_with(&options, rows, ARRAY_SIZE(rows), asked, false);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "TXT _acme-challenge.a.b.test");
    assert_int_equal(questions, 1);
    rows[0].texts = (const char *const[]) { VALUE };
    run_with(&options, rows, ARRAY_SIZE(rows), asked, false);
    assert_problem(&outcome, PROBLEM_CAA, "CAA record at b.test prevents issuance for a.b.test");
    rows[1].texts = (const char *const[]) { "0 issue ca.test; validationmethods=dns-01" };
    run_with(&options, rows, ARRAY_SIZE(rows), asked, false);
    assert_true(outcome.ok);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_records_anywhere),
        cmocka_unit_test(the_nearest_set_counts),
        cmocka_unit_test(an_error_counts_when_it_is_nearer),
        cmocka_unit_test(a_farther_answer_is_not_waited_for),
        cmocka_unit_test(silence_is_an_error),
        cmocka_unit_test(an_alias_leads_to_the_records),
        cmocka_unit_test(wildcards_and_restrictions_reach_the_decision),
        cmocka_unit_test(off_and_warn),
        cmocka_unit_test(addresses_and_names_outside_dns_are_not_asked_for),
        cmocka_unit_test(a_validation_ends_with_caa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
