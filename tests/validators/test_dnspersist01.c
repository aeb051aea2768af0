#include "tests/validators/dns_server.h"

#include <stdio.h>

enum { TXT = 16, SERVFAIL = 2 };
#define NAME  "_validation-persist.a.test"
#define GOOD  "ca.test; accounturi=" ACCOUNT_URL
#define NOW_S 1760000000

static const char *const issuers[] = { "ca.test", "second.test" };
static const char *const accounts[] = { ACCOUNT_URL, "u:former" };

enum scope { NAME_ALONE, WILDCARD, SUBDOMAINS };

static void run(const struct dns_row *row, enum scope scope, struct outcome *out)
{
    struct validators_options options = test_options();
    char server_text[40];
    struct dns_server *server = dns_server_start(row, 1);
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", dns_server_port(server));
    options.dns_server = server_text;
    struct validators *validators = test_validators(&options);
    struct validation asked = { .type = CHALLENGE_DNS_PERSIST_01,
                                .identifier = dns_name("a.test"),
                                .account_url = ACCOUNT_URL,
                                .wildcard = scope == WILDCARD,
                                .subdomains = scope == SUBDOMAINS,
                                .issuers = issuers,
                                .issuer_count = ARRAY_SIZE(issuers),
                                .accounts = accounts,
                                .account_count = ARRAY_SIZE(accounts),
                                .now_ms = NOW_S * INT64_C(1000) };
    validate_this(validators, asked, out);
    validators_drop(validators);
    dns_server_stop(server);
}

static void run_texts(const char *const *texts, size_t count, enum scope scope, struct outcome *out)
{
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, texts, count };
    run(&row, scope, out);
}

static void a_record_that_fits(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { GOOD }, 1, NAME_ALONE, &outcome);
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"name\":\"" NAME "\",\"type\":\"TXT\"");
    run_texts((const char *const[]) { "second.test;| accounturi=|" ACCOUNT_URL }, 1, NAME_ALONE, &outcome);
    assert_true(outcome.ok);
}

/* [persist-4.3.2-1] [persist-4.3.2-2] */
static void one_among_many_is_enough(void **state)
{
    (void)state;
    struct outcome outcome;
    static const char *const texts[] = { "other.test; accounturi=https://other.test/1", "ca.test; x; y", "",
                                         "ca.test; accounturi=https://ca.test/account/2", GOOD };
    run_texts(texts, ARRAY_SIZE(texts), NAME_ALONE, &outcome);
    assert_true(outcome.ok);
}

static void any_of_the_accounts_names_will_do(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { "ca.test; accounturi=u:former" }, 1, NAME_ALONE, &outcome);
    assert_true(outcome.ok);
}

/* [persist-4.1-15] */
static void the_longest_time_counts(void **state)
{
    (void)state;
    struct outcome outcome;
    static const char *const texts[] = { GOOD "; persistUntil=1760000001", GOOD "; persistUntil=1760000009",
                                         GOOD "; persistUntil=1760000005", GOOD "; persistUntil=1", GOOD };
    run_texts(texts, 4, NAME_ALONE, &outcome);
    assert_int_equal(outcome.valid_until_ms, INT64_C(1760000009000));
    run_texts(texts, 5, NAME_ALONE, &outcome);
    assert_int_equal(outcome.valid_until_ms, 0);
}

static void records_are_not_joined(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { "ca.test;", "accounturi=" ACCOUNT_URL }, 2, NAME_ALONE, &outcome);
    assert_false(outcome.ok);
}

/* [persist-5.1-1] [persist-6.2-1] */
static void wildcard_policy(void **state)
{
    (void)state;
    struct outcome outcome;
    for (enum scope scope = WILDCARD; scope <= SUBDOMAINS; scope++) {
        run_texts((const char *const[]) { GOOD "; policy=wildcard" }, 1, scope, &outcome);
        assert_true(outcome.ok);
        run_texts((const char *const[]) { GOOD }, 1, scope, &outcome);
        assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "one record should be \"" GOOD "; policy=wildcard\"");
        assert_has(outcome.problem.detail, "; \"" GOOD "\": policy=wildcard is missing");
    }
}

/* [persist-4.1-17] */
static void persist_until_is_held_against_the_time_given(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { GOOD "; persistUntil=1760000000" }, 1, NAME_ALONE, &outcome);
    assert_true(outcome.ok);
    run_texts((const char *const[]) { GOOD "; persistUntil=1759999999" }, 1, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "persistUntil=1759999999 has passed");
}

/* the order is not the zone's: the resolver turns records around */
static void says_why_the_first_records_do_not_fit(void **state)
{
    (void)state;
    struct outcome outcome;
    static const char *const texts[] = { "v=spf1", "ca.test; accounturi=u:1", "x", GOOD "; policy=a; policy=b",
                                         "v=spf1" };
    run_texts(texts, ARRAY_SIZE(texts), NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "TXT " NAME ": no record fits, asked 127.0.0.1:");
    assert_has(outcome.problem.detail, "; one record should be \"" GOOD "\"; \"ca.test; ");
    assert_has(outcome.problem.detail, "; \"ca.test; accounturi=u:1\": accounturi is another account's; \"");
    assert_has(outcome.problem.detail, "; \"" GOOD "; policy=a; policy=b\": policy stands there twice; \"");
    assert_has(outcome.problem.detail, "\": the issuer's name is none of ours; and 2 more");
}

/* [persist-9.3.1-1] */
static void broken_syntax_is_malformed(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { "x", GOOD "; accounturi=" ACCOUNT_URL }, 2, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_MALFORMED, "\": accounturi stands there twice");
    run_texts((const char *const[]) { "other.test; =" }, 1, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "\": the issuer's name is none of ours");
    run_texts((const char *const[]) { "ca.test", "ca.test; accounturi=u:1" }, 2, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "\": accounturi is missing");
}

static void hostile_records_are_shown_harmless(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts((const char *const[]) { "ca.test; x=\"\r\n" }, 1, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_MALFORMED, "; \"ca.test; x=\\\"\\x0d\\x0a\": the value");
}

static void run_length(size_t bytes, struct outcome *out)
{
    AUTO_BUF(text, 4000);
    buf_text(&text, GOOD "; x=");
    for (size_t len = text.len; len < bytes; len++)
        buf_text(&text, len % 200 == 0 ? "|x" : "x");
    const char *one = buf_str(&text);
    run_texts(&one, 1, NAME_ALONE, out);
}

static void overlong_records_do_not_fit(void **state)
{
    (void)state;
    struct outcome outcome;
    run_length(2048, &outcome);
    assert_true(outcome.ok);
    run_length(2049, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "\"" GOOD "; x=xxx");
    assert_has(outcome.problem.detail, "xxx...\": longer than any that could fit");
}

/* [persist-4.2-1] */
static void no_records(void **state)
{
    (void)state;
    struct outcome outcome;
    run_texts(NULL, 0, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED,
                   "TXT " NAME ": name exists, but has no such records (NOERROR), asked");
    assert_has(outcome.problem.detail, "; one record should be \"" GOOD "\"");
}

static void answers_that_are_none(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct dns_row elsewhere = { "b.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    const struct dns_row broken = { NAME, TXT, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 };
    run(&elsewhere, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_DNS, "TXT " NAME ": name does not exist (NXDOMAIN), asked 127.0.0.1:");
    run(&broken, NAME_ALONE, &outcome);
    assert_problem(&outcome, PROBLEM_DNS, "TXT " NAME ": the answer is SERVFAIL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_fits),
        cmocka_unit_test(one_among_many_is_enough),
        cmocka_unit_test(any_of_the_accounts_names_will_do),
        cmocka_unit_test(the_longest_time_counts),
        cmocka_unit_test(records_are_not_joined),
        cmocka_unit_test(wildcard_policy),
        cmocka_unit_test(persist_until_is_held_against_the_time_given),
        cmocka_unit_test(says_why_the_first_records_do_not_fit),
        cmocka_unit_test(broken_syntax_is_malformed),
        cmocka_unit_test(hostile_records_are_shown_harmless),
        cmocka_unit_test(overlong_records_do_not_fit),
        cmocka_unit_test(no_records),
        cmocka_unit_test(answers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
