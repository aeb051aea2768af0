#include "tests/validators/dns_server.h"

#include <stdio.h>

enum { TXT = 16 };
/* base64url(SHA-256(KEY_AUTHORIZATION)), and the label of ACCOUNT_URL */
#define VALUE "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"
#define LABEL "_olyvb6oxga3g4ahi"
#define NAME  LABEL "._acme-challenge.a.test"

static void run(const struct dns_row *row, struct outcome *out)
{
    struct validators_options options = test_options();
    char asked[40];
    struct dns_server *server = dns_server_start(row, 1);
    snprintf(asked, sizeof asked, "127.0.0.1:%u", dns_server_port(server));
    options.dns_server = asked;
    struct validators *validators = test_validators(&options);
    validate(validators, CHALLENGE_DNS_ACCOUNT_01, dns_name("a.test"), out);
    validators_drop(validators);
    dns_server_stop(server);
}

static void the_label_above_is_right(void **state)
{
    (void)state;
    AUTO_BUF(label, CHALLENGE_ACCOUNT_LABEL_BYTES);
    challenge_account_label(&label, ACCOUNT_URL);
    assert_string_equal(buf_str(&label), LABEL);
}

/* [label-3.2-2] [label-3.3-1] */
static void right_value_below_the_accounts_label(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { "x", VALUE }, 2 };
    run(&row, &outcome);
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"name\":\"" NAME "\"");
}

/* [label-3.3-2] */
static void wrong_value(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct dns_row row = { NAME, TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { "x" }, 1 };
    run(&row, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "TXT " NAME ": found \"x\", asked ");
    assert_has(outcome.problem.detail, "one record should be \"" VALUE "\"");
}

static void the_name_of_dns_01_does_not_count(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct dns_row row = {
        "_acme-challenge.a.test", TXT, DNS_ANSWER, 0, NULL, (const char *const[]) { VALUE }, 1
    };
    run(&row, &outcome);
    assert_problem(&outcome, PROBLEM_DNS, "TXT " NAME ": name does not exist (NXDOMAIN)");
}

/* [label-3.4-2] */
static void a_missing_record_is_told_with_the_account(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct dns_row none = { NAME, TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    const struct dns_row elsewhere = { "b.test", TXT, DNS_ANSWER, 0, NULL, NULL, 0 };
    run(&none, &outcome);
    assert_problem(&outcome, PROBLEM_UNAUTHORIZED, "\"" VALUE "\"; the label is that of the account " ACCOUNT_URL);
    run(&elsewhere, &outcome);
    assert_problem(&outcome, PROBLEM_DNS, "; the label is that of the account " ACCOUNT_URL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_label_above_is_right),
        cmocka_unit_test(right_value_below_the_accounts_label),
        cmocka_unit_test(wrong_value),
        cmocka_unit_test(the_name_of_dns_01_does_not_count),
        cmocka_unit_test(a_missing_record_is_told_with_the_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
