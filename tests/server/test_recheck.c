/* CAA asked again before a certificate: for which names, with what, and what becomes of the answers. */
#include "server/protocol/recheck.h"

#include "tests/server/settings_help.h"
#include "tests/validators/dns_server.h"

#include <semaphore.h>
#include <stdio.h>

enum { CAA = 257, SERVFAIL = 2, NAMES_MAX = 4, ARENA_BYTES = 1 << 20 };
#define NOW_MS     INT64_C(1760000000000)
#define AFTER_MS   INT64_C(25200000) /* caa.recheck-after: 7h */
#define EXPIRES_MS (NOW_MS + 1)
#define TEXTS(...) (const char *const[]) { __VA_ARGS__ }, ARRAY_SIZE(((const char *const[]) { __VA_ARGS__ }))
#define ANSWERS(name, ...)                                                                                             \
    {                                                                                                                  \
        name, CAA, DNS_ANSWER, 0, NULL, TEXTS(__VA_ARGS__)                                                             \
    }

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings *settings;
    struct caraway caraway;
    struct dns_server *dns;
    struct arena *arena;
    struct challenge challenges[NAMES_MAX];
    struct authorization authorizations[NAMES_MAX];
    struct acme_identifier names[NAMES_MAX];
    const char *ids[NAMES_MAX];
    struct order order;
    struct recheck *recheck;
    struct acme_problem problem;
    sem_t done;
};

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(ARENA_BYTES);
    f->world = world_manual(&f->clock, NOW_MS);
    f->settings = set_good("caa.recheck-after", "7h");
    f->caraway = (struct caraway) { .world = &f->world, .settings = f->settings, .rechecks = rechecks_create() };
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    f->order = (struct order) { .id = "o",
                                .account = "a",
                                .identifiers = { f->names, 0 },
                                .authorizations = { f->ids, 0 },
                                .created_ms = 1,
                                .expires_ms = EXPIRES_MS };
    sem_init(&f->done, 0, 0);
    *state = f;
    return 0;
}

static void end_service(struct fixture *f)
{
    validators_drop(TAKE(f->caraway.validators));
    if (f->dns != NULL)
        dns_server_stop(TAKE(f->dns));
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    recheck_drop(f->recheck);
    end_service(f);
    rechecks_drop(f->caraway.rechecks);
    store_drop(f->caraway.store);
    settings_drop(f->settings);
    arena_drop(f->arena);
    sem_destroy(&f->done);
    free(f);
    return 0;
}

static void add_name(struct fixture *f, const char *name)
{
    enum acme_identifier_type type = strchr("0123456789", name[0]) != NULL ? IDENTIFIER_IP : IDENTIFIER_DNS;
    f->names[f->order.identifiers.count++] = (struct acme_identifier) { type, name };
}

/* Proved by dns-01 just before CAA would have to be asked again; in the store with the first `make`. */
static struct authorization *add_proof(struct fixture *f, const char *base)
{
    size_t i = f->order.authorizations.count++;
    f->ids[i] = arena_printf(f->arena, "z%zu", i);
    f->challenges[i] = (struct challenge) {
        .type = "dns-01", .state = CHALLENGE_VALID, .validated_ms = NOW_MS - AFTER_MS + 1, .account_url = ACCOUNT_URL
    };
    f->authorizations[i] = (struct authorization) { .id = f->ids[i],
                                                    .account = "a",
                                                    .state = AUTHORIZATION_VALID,
                                                    .identifier = { IDENTIFIER_DNS, base },
                                                    .created_ms = 1,
                                                    .expires_ms = EXPIRES_MS,
                                                    .challenges = { &f->challenges[i], 1 } };
    return &f->authorizations[i];
}

static void age(const struct authorization *authorization)
{
    authorization->challenges.items[0].validated_ms--;
}

static void put(struct store_txn *txn, void *fixture)
{
    struct fixture *f = fixture;
    for (size_t i = 0; i < f->order.authorizations.count; i++) {
        if (f->authorizations[i].id != NULL)
            store_put_authorization(txn, &f->authorizations[i]);
    }
}

static bool make(struct fixture *f)
{
    assert_int_equal(store_write(f->caraway.store, put, f), STORE_OK);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    recheck_drop(TAKE(f->recheck));
    return recheck_make(&f->caraway, txn, &f->order, &f->recheck, &f->problem);
}

static void serve(struct fixture *f, const struct dns_row *rows, size_t count, enum caa_mode mode, int64_t timeout_ms)
{
    struct validators_options options = test_options();
    char address[40];
    f->dns = dns_server_start(rows, count);
    snprintf(address, sizeof address, "127.0.0.1:%u", dns_server_port(f->dns));
    options.dns_server = address;
    options.caa_mode = mode;
    options.dns_timeout_ms = timeout_ms;
    f->caraway.validators = test_validators(&options);
}

static void posted(void *done)
{
    sem_post(done);
}

/* Ends the service: its rows may be the test's. */
static bool verdict(struct fixture *f)
{
    assert_true(make(f));
    assert_non_null(f->recheck);
    recheck_start(f->recheck, posted, &f->done);
    while (sem_wait(&f->done) != 0)
        continue;
    end_service(f);
    return recheck_verdict(f->recheck, f->arena, &f->problem);
}

static bool ask(struct fixture *f, const struct dns_row *rows, size_t count)
{
    serve(f, rows, count, CAA_ENFORCE, 5000);
    return verdict(f);
}

static void assert_refused(const struct fixture *f, enum acme_problem_type type, const char *part)
{
    assert_int_equal(f->problem.type, type);
    assert_has(f->problem.detail, part);
}

/* ---- which names */

static void only_an_old_proof_is_asked_again(void **state)
{
    struct fixture *f = *state;
    const struct dns_row rows[] = { ANSWERS("a.test", "0 issue other.test") };
    add_name(f, "a.test");
    struct authorization *proof = add_proof(f, "a.test");
    assert_true(make(f));
    assert_null(f->recheck);
    age(proof);
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "CAA record at a.test prevents issuance for a.test: 0 issue \"other.test\"");
    assert_int_equal(f->problem.subproblem_count, 0);
}

static void names_below_are_always_asked_for(void **state)
{
    struct fixture *f = *state;
    const struct dns_row rows[] = { ANSWERS("tree.test", "0 issue ;", "0 issuewild caraway.test"),
                                    ANSWERS("a.tree.test", "0 issue caraway.test", "0 issuewild ;") };
    add_name(f, "*.tree.test");
    add_name(f, "a.tree.test");
    add_name(f, "tree.test"); /* asked for when it was proved */
    add_proof(f, "tree.test")->subdomains = true;
    assert_true(ask(f, rows, ARRAY_SIZE(rows)));
    f->names[1].value = "b.tree.test";
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "CAA record at tree.test prevents issuance for b.tree.test: 0 issue \";\"");
    f->names[0].value = "*.a.tree.test";
    f->order.identifiers.count = 1;
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "CAA record at a.tree.test prevents issuance for *.a.tree.test: 0 issuewild \";\"");
}

static void a_proof_of_its_own_goes_before_one_above(void **state)
{
    struct fixture *f = *state;
    add_name(f, "a.tree.test");
    for (int order = 0; order < 2; order++) {
        f->order.authorizations.count = 0;
        if (order == 0)
            add_proof(f, "a.tree.test");
        add_proof(f, "tree.test")->subdomains = true;
        if (order == 1)
            add_proof(f, "a.tree.test");
        assert_true(make(f));
        assert_null(f->recheck);
    }
}

static void addresses_and_names_by_policy_are_not_asked_for(void **state)
{
    struct fixture *f = *state;
    add_name(f, "127.0.0.1");
    struct authorization *proof = add_proof(f, "127.0.0.1");
    proof->identifier.type = IDENTIFIER_IP;
    age(proof);
    add_name(f, "a.test");
    struct authorization *allowed = add_proof(f, "a.test");
    allowed->challenges.count = 0;
    allowed->allowed_by = "external account key k";
    assert_true(make(f));
    assert_null(f->recheck);
}

static void off_asks_nothing_and_warn_refuses_nothing(void **state)
{
    struct fixture *f = *state;
    const struct dns_row rows[] = { ANSWERS("a.test", "0 issue other.test") };
    add_name(f, "a.test");
    age(add_proof(f, "a.test"));
    serve(f, rows, ARRAY_SIZE(rows), CAA_WARN, 5000);
    assert_true(verdict(f));
    settings_drop(f->settings);
    f->settings = set_good("caa.mode", "off");
    f->caraway.settings = f->settings;
    assert_true(make(f));
    assert_null(f->recheck);
}

/* ---- with what */

static void account_and_method_are_those_of_the_proof(void **state)
{
    struct fixture *f = *state;
    const struct dns_row rows[] = { ANSWERS("a.test", "0 issue caraway.test; accounturi=" ACCOUNT_URL
                                                      "; validationmethods=dns-01") };
    add_name(f, "a.test");
    struct authorization *proof = add_proof(f, "a.test");
    age(proof);
    assert_true(ask(f, rows, ARRAY_SIZE(rows)));
    proof->challenges.items[0].type = "http-01";
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "is for other challenge types");
    proof->challenges.items[0].account_url = ACCOUNT_URL "1";
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "is for another account");
    proof->challenges.items[0].account_url = NULL;
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "is for another account");
}

/* ---- answers */

static void no_answer_is_a_dns_problem(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct dns_row row;
        const char *part;
    } rows[] = {
        { { "a.test", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 }, "the answer is SERVFAIL" },
        { { "a.test", CAA, DNS_SILENCE, 0, NULL, NULL, 0 }, "no answer within 100 ms" },
        { { "test", CAA, DNS_SILENCE, 0, NULL, NULL, 0 }, "CAA test: no answer within 100 ms" },
        { { "a.test", CAA, DNS_GARBAGE, 0, NULL, NULL, 0 }, "it is not known whether CAA allows a.test" },
    };
    add_name(f, "a.test");
    age(add_proof(f, "a.test"));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        serve(f, &rows[i].row, 1, CAA_ENFORCE, 100);
        assert_false(verdict(f));
        assert_refused(f, PROBLEM_DNS, rows[i].part);
        assert_int_equal(f->problem.status, 400);
    }
}

static void several_refusals_are_subproblems(void **state)
{
    struct fixture *f = *state;
    const struct dns_row rows[] = { ANSWERS("a.test", "0 issue other.test"),
                                    { "b.test", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 },
                                    ANSWERS("c.test", "0 issue caraway.test"),
                                    ANSWERS("d.test", "0 issuewild ;") };
    static const char *const bases[] = { "a.test", "b.test", "c.test", "d.test" };
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        add_name(f, i == 3 ? "*.d.test" : bases[i]);
        add_proof(f, bases[i])->wildcard = i == 3;
        age(&f->authorizations[i]);
    }
    assert_false(ask(f, rows, ARRAY_SIZE(rows)));
    assert_refused(f, PROBLEM_CAA, "CAA was asked for 4 names before issuance, and 3 are refused");
    assert_int_equal(f->problem.status, 403);
    assert_int_equal(f->problem.subproblem_count, 3);
    assert_int_equal(f->problem.subproblems[0].type, PROBLEM_CAA);
    assert_int_equal(f->problem.subproblems[1].type, PROBLEM_DNS);
    assert_string_equal(f->problem.subproblems[1].identifier.value, "b.test");
    assert_has(f->problem.subproblems[1].detail, "SERVFAIL");
    assert_string_equal(f->problem.subproblems[2].identifier.value, "*.d.test");
    /* without answers alone it is none of CAA's */
    const struct dns_row nothing[] = { { "", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 } };
    assert_false(ask(f, nothing, 1));
    assert_refused(f, PROBLEM_DNS, "and 4 are refused");
}

/* ---- what an order stands on */

static void what_has_ended_proves_nothing(void **state)
{
    struct fixture *f = *state;
    add_name(f, "a.test");
    struct authorization *proof = add_proof(f, "a.test");
    for (unsigned i = 0; i < AUTHORIZATION_STATES; i++) {
        proof->state = i;
        assert_int_equal(make(f), i == AUTHORIZATION_VALID);
        if (i != AUTHORIZATION_VALID)
            assert_refused(f, PROBLEM_UNAUTHORIZED, state_text(&authorization_states, i));
    }
    proof->state = AUTHORIZATION_VALID;
    proof->expires_ms = NOW_MS;
    assert_false(make(f));
    assert_refused(f, PROBLEM_UNAUTHORIZED, "The authorization for \"a.test\" is expired by now");
    f->ids[0] = "pruned";
    assert_false(make(f));
    assert_refused(f, PROBLEM_UNAUTHORIZED, "expired long ago");
}

static void every_name_needs_a_proof_that_speaks_for_it(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *base;
        bool wildcard, subdomains, proved;
    } rows[] = {
        { "a.test", "a.test", false, false, true },    { "*.a.test", "a.test", true, false, true },
        { "*.a.test", "a.test", false, false, false }, { "a.test", "a.test", true, false, false },
        { "b.a.test", "a.test", false, false, false }, { "b.a.test", "a.test", true, false, false },
        { "b.a.test", "a.test", false, true, true },   { "*.a.test", "a.test", false, true, true },
        { "xa.test", "a.test", false, true, false },   { "test", "a.test", false, true, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        f->order.identifiers.count = f->order.authorizations.count = 0;
        add_name(f, rows[i].name);
        struct authorization *proof = add_proof(f, rows[i].base);
        proof->wildcard = rows[i].wildcard;
        proof->subdomains = rows[i].subdomains;
        assert_int_equal(make(f), rows[i].proved);
        if (!rows[i].proved)
            assert_refused(f, PROBLEM_UNAUTHORIZED, "No authorization of the order proves");
    }
    f->order.authorizations.count = 0;
    f->order.identifiers.count = 0;
    add_name(f, "a.test");
    add_proof(f, "a.test")->challenges.count = 0; /* valid, and nothing was met */
    assert_false(make(f));
    assert_refused(f, PROBLEM_UNAUTHORIZED, "No authorization of the order proves \"a.test\"");
}

/* ---- ends */

static void hang(struct fixture *f, int64_t timeout_ms)
{
    static const struct dns_row rows[] = { { "", CAA, DNS_SILENCE, 0, NULL, NULL, 0 } };
    add_name(f, "a.test");
    age(add_proof(f, "a.test"));
    serve(f, rows, ARRAY_SIZE(rows), CAA_ENFORCE, timeout_ms);
    assert_true(make(f));
}

static void closing_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    hang(f, 60000);
    recheck_start(f->recheck, posted, &f->done);
    dns_server_wait(f->dns, 1);
    assert_int_equal(sem_trywait(&f->done), -1);
    rechecks_close(f->caraway.rechecks);
    assert_int_equal(sem_trywait(&f->done), 0);
    assert_true(recheck_was_cut(f->recheck));
    assert_false(recheck_verdict(f->recheck, f->arena, &f->problem));
    assert_int_equal(f->problem.status, 503);
    /* nobody begins to wait any more */
    recheck_drop(TAKE(f->recheck));
    assert_true(make(f));
    recheck_start(f->recheck, posted, &f->done);
    assert_int_equal(sem_trywait(&f->done), 0);
    assert_true(recheck_was_cut(f->recheck));
}

static void one_that_is_dropped_tells_nobody(void **state)
{
    struct fixture *f = *state;
    hang(f, 100);
    recheck_start(f->recheck, posted, &f->done);
    recheck_drop(TAKE(f->recheck));
    assert_false(verdict(f)); /* of another, behind it on the one thread: both have been answered by now */
    assert_int_equal(sem_trywait(&f->done), -1);
}

static void one_that_is_dropped_may_be_under_way_to_the_end(void **state)
{
    struct fixture *f = *state;
    hang(f, 60000);
    recheck_start(f->recheck, posted, &f->done);
    dns_server_wait(f->dns, 1);
    recheck_drop(TAKE(f->recheck));
    rechecks_close(f->caraway.rechecks);
    assert_int_equal(sem_trywait(&f->done), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_an_old_proof_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_below_are_always_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_proof_of_its_own_goes_before_one_above, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_and_names_by_policy_are_not_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(off_asks_nothing_and_warn_refuses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(account_and_method_are_those_of_the_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_is_a_dns_problem, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_refusals_are_subproblems, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_ended_proves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_name_needs_a_proof_that_speaks_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_ends_the_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_dropped_tells_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_dropped_may_be_under_way_to_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
