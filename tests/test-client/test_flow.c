#include "test-client/flow.h"
#include "test-client/key.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/scripted_server.h"
#include "tests/unit.h"

#include <stdio.h>

#define DIRECTORY                                                                                                      \
    {                                                                                                                  \
        "GET /dir", 200, NULL, "{\"newNonce\":\"@/nonce\",\"newAccount\":\"@/account\",\"newOrder\":\"@/new-order\"}"  \
    }
#define ACCOUNT                                                                                                        \
    {                                                                                                                  \
        "POST /account", 201, "Location: @/account/1\r\n", "{\"status\":\"valid\"}"                                    \
    }
#define ORDER_(state, x) "{\"status\":\"" state "\",\"authorizations\":[\"@/authz\"],\"finalize\":\"@/finalize\"" x "}"
#define NEW_ORDER                                                                                                      \
    {                                                                                                                  \
        "POST /new-order", 201, "Location: @/order\r\n", ORDER_("pending", "")                                         \
    }
#define CHALLENGE_(state, x)                                                                                           \
    "{\"type\":\"http-01\",\"status\":\"" state "\",\"url\":\"@/challenge\",\"token\":\"dG9rZW4\"" x "}"
#define AUTHZ_(state, challenge)                                                                                       \
    "{\"status\":\"" state "\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[" challenge "]}"
#define AUTHZ_PENDING                                                                                                  \
    {                                                                                                                  \
        "POST /authz", 200, NULL, AUTHZ_("pending", CHALLENGE_("pending", ""))                                         \
    }
#define AUTHZ_VALID                                                                                                    \
    {                                                                                                                  \
        "POST /authz", 200, NULL, AUTHZ_("valid", CHALLENGE_("valid", ""))                                             \
    }
#define CHALLENGE                                                                                                      \
    {                                                                                                                  \
        "POST /challenge", 200, NULL, CHALLENGE_("processing", "")                                                     \
    }
#define VALID_ORDER ORDER_("valid", ",\"certificate\":\"@/cert\"")
#define FINALIZE                                                                                                       \
    {                                                                                                                  \
        "POST /finalize", 200, NULL, VALID_ORDER                                                                       \
    }
#define CERTIFICATE                                                                                                    \
    {                                                                                                                  \
        "POST /cert", 200, NULL, "-----BEGIN CERTIFICATE-----\n…"                                                    \
    }
#define NONCE                                                                                                          \
    {                                                                                                                  \
        "HEAD /nonce", 200, NULL, NULL                                                                                 \
    }
#define PROBLEM(type) "{\"type\":\"urn:ietf:params:acme:error:" type "\",\"detail\":\"why\"}"
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, NULL                                                                                            \
    }

struct fixture {
    uv_loop_t loop;
    struct scripted_server server;
    struct tc_flow_setup setup;
    char directory_url[60];
    EVP_PKEY *account_key;
    struct tc_csr_key *key;
    struct tc_flow *flow;
    bool done;
    char type[60], detail[200]; /* of the problem; "" without one */
    char chain[60];
};

static void on_done(void *arg, struct tc_flow *flow)
{
    struct fixture *f = arg;
    const struct tc_problem *problem = tc_flow_problem(flow);
    struct bytes chain = tc_flow_chain(flow);
    snprintf(f->type, sizeof f->type, "%s", problem != NULL ? problem->type : "");
    snprintf(f->detail, sizeof f->detail, "%s", problem != NULL ? problem->detail : "");
    snprintf(f->chain, sizeof f->chain, "%.*s", (int)chain.len, chain.len > 0 ? (const char *)chain.data : "");
    f->done = true;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[TC_RESPONDER_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    scripted_server_start(&f->server, &f->loop);
    snprintf(f->directory_url, sizeof f->directory_url, "%s/dir", f->server.url);
    f->setup = (struct tc_flow_setup) {
        .loop = &f->loop,
        .fetcher = tc_fetcher_create(&f->loop, 2),
        .world = world_real(),
        .exchange = { .protocols = "http", .timeout_s = 20 },
        .directory_url = f->directory_url,
        .challenge = CHALLENGE_HTTP_01,
        .poll_ms = 1,
        .patience_ms = 20000,
    };
    CHECK(tc_responder_start(&f->loop, &(struct tc_responder_options) { .http_port = TC_RESPONDER_ANY_PORT },
                             &f->setup.responder, why));
    f->account_key = tc_key_make(TC_KEY_P256);
    f->key = tc_csr_key_create(f->account_key);
    f->flow = tc_flow_create(&f->setup, f->account_key, &(struct tc_flow_events) { .done = on_done, .arg = f });
    CHECK(f->flow != NULL && f->key != NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tc_flow_drop(f->flow);
    tc_responder_drop(f->setup.responder);
    tc_fetcher_drop(f->setup.fetcher);
    scripted_server_drop(&f->server);
    loopback_end(&f->loop);
    tc_csr_key_drop(f->key);
    EVP_PKEY_free(f->account_key);
    free(f);
    return 0;
}

static void run_until_done(struct fixture *f)
{
    while (!f->done)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_string_equal(f->server.mistake, "");
}

/* Issues against the script and expects the problem type, "" for success. */
static void issue(struct fixture *f, const struct script_row *rows, const char *type)
{
    static const struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    scripted_server_play(&f->server, rows);
    f->done = false;
    tc_flow_issue(f->flow, &(struct tc_flow_order) { &name, 1, f->key });
    run_until_done(f);
    if (strcmp(f->type, type) != 0)
        fail_msg("\"%s: %s\", not \"%s\"", f->type, f->detail, type);
}

static void expect_all_played(const struct fixture *f)
{
    assert_null(f->server.next->request);
}

static void a_certificate_is_had_step_by_step(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT,     NEW_ORDER, AUTHZ_PENDING, CHALLENGE, AUTHZ_VALID,
                                              FINALIZE,  CERTIFICATE, END };
    struct fixture *f = *state;
    issue(f, rows, "");
    expect_all_played(f);
    assert_string_equal(f->chain, "-----BEGIN CERTIFICATE-----\n…");
}

static void the_second_certificate_starts_at_the_order(void **state)
{
    static const struct script_row first[] = { DIRECTORY, ACCOUNT, NEW_ORDER, AUTHZ_VALID, FINALIZE, CERTIFICATE, END };
    static const struct script_row second[] = { NEW_ORDER, AUTHZ_VALID, FINALIZE, CERTIFICATE, END };
    issue(*state, first, "");
    issue(*state, second, "");
    expect_all_played(*state);
}

static void a_nonce_is_fetched_where_answers_bring_none(void **state)
{
    static const struct script_row rows[] = { DIRECTORY,   NONCE, ACCOUNT,  NONCE, NEW_ORDER,   NONCE,
                                              AUTHZ_VALID, NONCE, FINALIZE, NONCE, CERTIFICATE, END };
    struct fixture *f = *state;
    f->server.keeps_nonces = true;
    issue(f, rows, "");
    expect_all_played(f);
}

static void a_refused_nonce_is_tried_again(void **state)
{
    static const struct script_row rows[] = {
        DIRECTORY, { "POST /account", 400, NULL, PROBLEM("badNonce") },
        ACCOUNT,   { "POST /new-order", 400, NULL, PROBLEM("badNonce") },
        NEW_ORDER, AUTHZ_VALID,
        FINALIZE,  CERTIFICATE,
        END,
    };
    issue(*state, rows, "");
    expect_all_played(*state);
}

static void nonces_are_not_refused_for_ever(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, { "POST /account", 400, NULL, PROBLEM("badNonce") }, END };
    struct fixture *f = *state;
    issue(f, rows, "badNonce");
    assert_int_equal(f->server.played, 12);
    assert_string_equal(tc_flow_failed_step(f->flow), "account");
}

static void a_busy_server_is_waited_for(void **state)
{
    static const struct script_row rows[] = {
        DIRECTORY, { "POST /account", 503, "Retry-After: 0\r\n", NULL },
        ACCOUNT,   { "POST /new-order", 429, "Retry-After: 0\r\n", PROBLEM("rateLimited") },
        NEW_ORDER, AUTHZ_VALID,
        FINALIZE,  CERTIFICATE,
        END,
    };
    issue(*state, rows, "");
    expect_all_played(*state);
}

static void a_limit_that_outlasts_our_patience_ends_it(void **state)
{
    static const struct script_row rows[] = {
        DIRECTORY, ACCOUNT, { "POST /new-order", 429, "Retry-After: 3600\r\n", PROBLEM("rateLimited") }, END
    };
    issue(*state, rows, "rateLimited");
    assert_string_equal(((struct fixture *)*state)->detail, "why");
}

static void a_failed_challenge_gives_its_problem(void **state)
{
    static const struct script_row polled[] = {
        DIRECTORY,
        ACCOUNT,
        NEW_ORDER,
        AUTHZ_PENDING,
        CHALLENGE,
        AUTHZ_PENDING,
        { "POST /authz", 200, NULL, AUTHZ_("invalid", CHALLENGE_("invalid", ",\"error\":" PROBLEM("dns"))) },
        END,
    };
    static const struct script_row at_once[] = { NEW_ORDER,
                                                 AUTHZ_PENDING,
                                                 { "POST /challenge", 200, NULL,
                                                   CHALLENGE_("invalid", ",\"error\":" PROBLEM("tls")) },
                                                 END };
    struct fixture *f = *state;
    issue(f, polled, "dns");
    assert_true(tc_flow_times(f->flow).paused_us > 0);
    issue(f, at_once, "tls");
    assert_true(tc_flow_times(f->flow).answered_us > 0);
}

static void a_challenge_that_is_valid_at_once_is_not_polled(void **state)
{
    static const struct script_row rows[] = {
        DIRECTORY, ACCOUNT,     NEW_ORDER, AUTHZ_PENDING, { "POST /challenge", 200, NULL, CHALLENGE_("valid", "") },
        FINALIZE,  CERTIFICATE, END
    };
    issue(*state, rows, "");
    expect_all_played(*state);
}

static void an_order_not_ready_yet_is_finalized_later(void **state)
{
    static const struct script_row rows[] = { DIRECTORY,
                                              ACCOUNT,
                                              NEW_ORDER,
                                              AUTHZ_VALID,
                                              { "POST /finalize", 403, NULL, PROBLEM("orderNotReady") },
                                              { "POST /order", 200, NULL, ORDER_("pending", "") },
                                              { "POST /order", 200, NULL, ORDER_("ready", "") },
                                              { "POST /finalize", 200, NULL, ORDER_("processing", "") },
                                              { "POST /order", 200, NULL, ORDER_("processing", "") },
                                              { "POST /order", 200, NULL, VALID_ORDER },
                                              CERTIFICATE,
                                              END };
    issue(*state, rows, "");
    expect_all_played(*state);
}

static void an_order_never_ends_in_a_loop(void **state)
{
    static const struct script_row rows[] = { DIRECTORY,
                                              ACCOUNT,
                                              { "POST /new-order", 201, "Location: @/order\r\n", ORDER_("ready", "") },
                                              { "POST /finalize", 200, NULL, ORDER_("ready", "") },
                                              { "POST /order", 200, NULL, ORDER_("ready", "") },
                                              END };
    struct fixture *f = *state;
    f->setup.patience_ms = 50;
    issue(f, rows, "(timeout)");
}

static void an_order_may_fail_at_finalize(void **state)
{
    static const struct script_row refused[] = {
        DIRECTORY, ACCOUNT, NEW_ORDER, AUTHZ_VALID, { "POST /finalize", 400, NULL, PROBLEM("badCSR") }, END
    };
    static const struct script_row invalid[] = {
        NEW_ORDER, AUTHZ_VALID, { "POST /finalize", 200, NULL, ORDER_("invalid", ",\"error\":" PROBLEM("caa")) }, END
    };
    issue(*state, refused, "badCSR");
    issue(*state, invalid, "caa");
}

static void what_breaks_the_protocol_is_said(void **state)
{
    static const struct script_row no_order_url[] = {
        DIRECTORY, ACCOUNT, { "POST /new-order", 201, NULL, ORDER_("pending", "") }, END
    };
    static const struct script_row no_pem[] = {
        NEW_ORDER, AUTHZ_VALID, FINALIZE, { "POST /cert", 200, NULL, "<html>" }, END
    };
    static const struct script_row moved[] = { { "POST /new-order", 302, "Location: @/x\r\n", NULL }, END };
    static const struct script_row other_order[] = {
        NEW_ORDER,
        AUTHZ_VALID,
        { "POST /finalize", 200, NULL,
          "{\"status\":\"processing\",\"authorizations\":[\"a\",\"b\"],\"finalize\":\"f\"}" },
        END
    };
    issue(*state, no_order_url, "(protocol)");
    issue(*state, no_pem, "(protocol)");
    issue(*state, moved, "(no problem document)");
    issue(*state, other_order, "(protocol)");
}

static void a_server_that_hangs_up_is_a_transport_failure(void **state)
{
    static const struct script_row rows[] = { { "GET /dir", 0, NULL, NULL }, END };
    issue(*state, rows, "(transport)");
    assert_string_equal(tc_flow_failed_step(((struct fixture *)*state)->flow), "directory");
}

static void a_url_of_another_scheme_is_not_followed(void **state)
{
    static const struct script_row rows[] = {
        { "GET /dir", 200, NULL,
          "{\"newNonce\":\"file:///etc/passwd\",\"newAccount\":\"file:///etc/passwd\",\"newOrder\":\"x\"}" },
        END
    };
    issue(*state, rows, "(transport)");
}

static void a_flow_can_be_dropped_while_it_runs(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, NEW_ORDER, AUTHZ_PENDING, CHALLENGE, END };
    static const struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    struct fixture *f = *state;
    scripted_server_play(&f->server, rows);
    tc_flow_issue(f->flow, &(struct tc_flow_order) { &name, 1, f->key });
    while (f->server.played < 5)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static int step_called(const char *name)
{
    for (int i = 0; tc_flow_step_names[i] != NULL; i++) {
        if (strcmp(tc_flow_step_names[i], name) == 0)
            return i;
    }
    fail_msg("no step is called %s", name);
    return -1;
}

/* Repeats the step twice against the row, and gives the problem's type. */
static const char *repeat(struct fixture *f, const char *step, const struct script_row *rows)
{
    static const struct acme_identifier name = { IDENTIFIER_DNS, "b.test" };
    for (int i = 0; i < 2; i++) {
        scripted_server_play(&f->server, rows);
        f->done = false;
        tc_flow_repeat(f->flow, step_called(step), &(struct tc_flow_order) { &name, 1, f->key });
        run_until_done(f);
    }
    return f->type;
}

static void each_step_can_be_repeated_alone(void **state)
{
    static const struct script_row whole[] = { DIRECTORY, ACCOUNT,     NEW_ORDER, AUTHZ_PENDING, CHALLENGE, AUTHZ_VALID,
                                               FINALIZE,  CERTIFICATE, END };
    static const struct {
        const char *step;
        struct script_row rows[2];
    } cases[] = {
        { "directory", { DIRECTORY, END } },
        { "nonce", { NONCE, END } },
        { "account", { ACCOUNT, END } },
        { "order", { NEW_ORDER, END } },
        { "authorization", { AUTHZ_VALID, END } },
        { "challenge", { CHALLENGE, END } },
        { "issuance", { { "POST /order", 200, NULL, VALID_ORDER }, END } },
        { "certificate", { CERTIFICATE, END } },
    };
    issue(*state, whole, "");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(repeat(*state, cases[i].step, cases[i].rows), "");
    issue(*state, whole + 2, "");
}

static void a_repeated_step_that_is_refused_gives_its_problem(void **state)
{
    static const struct script_row whole[] = { DIRECTORY, ACCOUNT, NEW_ORDER, AUTHZ_VALID, FINALIZE, CERTIFICATE, END };
    static const struct script_row refused[] = { { "POST /new-order", 403, NULL, PROBLEM("unauthorized") }, END };
    static const struct script_row nothing[] = { END };
    issue(*state, whole, "");
    assert_string_equal(repeat(*state, "order", refused), "unauthorized");
    assert_string_equal(repeat(*state, "challenge", nothing), "(client)");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_certificate_is_had_step_by_step),
        CASE(the_second_certificate_starts_at_the_order),
        CASE(a_nonce_is_fetched_where_answers_bring_none),
        CASE(a_refused_nonce_is_tried_again),
        CASE(nonces_are_not_refused_for_ever),
        CASE(a_busy_server_is_waited_for),
        CASE(a_limit_that_outlasts_our_patience_ends_it),
        CASE(a_failed_challenge_gives_its_problem),
        CASE(a_challenge_that_is_valid_at_once_is_not_polled),
        CASE(an_order_not_ready_yet_is_finalized_later),
        CASE(an_order_never_ends_in_a_loop),
        CASE(an_order_may_fail_at_finalize),
        CASE(what_breaks_the_protocol_is_said),
        CASE(a_server_that_hangs_up_is_a_transport_failure),
        CASE(a_url_of_another_scheme_is_not_followed),
        CASE(a_flow_can_be_dropped_while_it_runs),
        CASE(each_step_can_be_repeated_alone),
        CASE(a_repeated_step_that_is_refused_gives_its_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
