/* What is committed between the check of a signature and the job of its request counts, and is not lost. */
#include "base/encode.h"
#include "server/limits/limit.h"
#include "server/management/external_admin.h"
#include "server/protocol/account.h"
#include "server/protocol/authorization.h"
#include "server/protocol/challenge.h"
#include "server/protocol/finalize.h"
#include "server/protocol/order.h"
#include "server/protocol/recheck.h"
#include "storage/upkeep.h"
#include "test-client/csr_make.h"
#include "tests/server/loose_request.h"
#include "tests/server/settings_help.h"

#include <stdio.h>

enum { NOW_MS = 1000000 };

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings *settings;
    struct caraway caraway;
    struct arena *arena;
    EVP_PKEY *pkey;
    struct jwk *key;
    const char *csr;
};

static struct account signer(void)
{
    return (struct account) { .id = "a", .thumbprint = "t", .external_key = "k", .owner = "team a", .created_ms = 1 };
}

static void put_all(struct store_txn *txn, void *arg)
{
    (void)arg;
    static struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    static struct challenge challenges[] = { { .type = "http-01", .token = "token" } };
    static struct challenge proofs[] = { { .type = "http-01", .token = "token", .state = CHALLENGE_VALID } };
    static const char *names[] = { "*.test" }, *ids[] = { "y" };
    const struct account account = signer();
    store_put_account(txn, &account);
    store_put_external_key(
        txn, &(struct external_key) { .id = "k", .names = { names, 1 }, .owner = "team a", .created_ms = 1 });
    store_put_order(txn, &(struct order) { .id = "o",
                                           .account = "a",
                                           .state = ORDER_READY,
                                           .identifiers = { &name, 1 },
                                           .authorizations = { ids, 1 },
                                           .profile = "classic",
                                           .created_ms = 1,
                                           .expires_ms = NOW_MS + 1 });
    store_put_authorization(txn, &(struct authorization) { .id = "z",
                                                           .account = "a",
                                                           .identifier = name,
                                                           .challenges = { challenges, 1 },
                                                           .created_ms = 1,
                                                           .expires_ms = NOW_MS + 1 });
    store_put_authorization(txn, &(struct authorization) { .id = "y",
                                                           .account = "a",
                                                           .state = AUTHORIZATION_VALID,
                                                           .identifier = name,
                                                           .challenges = { proofs, 1 },
                                                           .created_ms = 1,
                                                           .expires_ms = NOW_MS + 1 });
}

/* They are asked for room alone. */
static void open_validators(struct fixture *f)
{
    const struct validators_options options = { .threads = 1,
                                                .dns_server = "127.0.0.1:1",
                                                .dns_timeout_ms = 1000,
                                                .connect_timeout_ms = 1000,
                                                .total_timeout_ms = 1000,
                                                .user_agent = "test" };
    char why[VALIDATORS_WHY_SIZE];
    assert_true(validators_open(&options, &f->caraway.validators, why));
}

static int set_up(void **state)
{
    struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->world = world_manual(&f->clock, NOW_MS);
    static const struct setting_flag flags[] = { { "--set", "finalize.mode", "async" },
                                                 { "--set", "caa.mode", "off" } };
    f->settings = read_good(&(struct settings_sources) { .flags = flags, .flag_count = ARRAY_SIZE(flags) });
    f->caraway = (struct caraway) { .world = &f->world, .settings = f->settings, .rechecks = rechecks_create() };
    open_validators(f);
    f->arena = arena_create(1 << 20);
    assert_true(validators_open(&(struct validators_options) { .threads = 1, .user_agent = "test" },
                                &f->caraway.validators, why));
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    assert_int_equal(store_write(f->caraway.store, put_all, NULL), STORE_OK);
    f->caraway.limits = limits_create(f->settings, f->caraway.store);
    AUTO_BUF(der, TC_CSR_MAX);
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(tc_csr_key) csr_key = tc_csr_key_create(pkey);
    assert_true(csr_key != NULL && tc_csr_make(csr_key, &name, 1, &der));
    f->csr = arena_b64url(f->arena, buf_bytes(&der));
    f->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    f->key = jwk_from_pkey(f->pkey);
    assert_true(f->caraway.limits != NULL && f->caraway.rechecks != NULL && f->key != NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    validators_drop(f->caraway.validators);
    rechecks_drop(f->caraway.rechecks);
    limits_drop(f->caraway.limits);
    store_drop(f->caraway.store);
    settings_drop(f->settings);
    jwk_drop(f->key);
    EVP_PKEY_free(f->pkey);
    arena_drop(f->arena);
    free(f);
    return 0;
}

/* ---- what an account asks */

static const struct step {
    const char *name;
    request_handler *handler;
    const char *params[REQUEST_PARAMS];
    const char *payload; /* "%s": the CSR */
} steps[] = {
    { "contacts", account_post, { "a" }, "{\"contact\":[\"mailto:new@a.test\"]}" },
    { "deactivation", account_post, { "a" }, "{\"status\":\"deactivated\"}" },
    { "order", order_new, { NULL }, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"b.test\"}]}" },
    { "authorization", authorization_new, { NULL }, "{\"identifier\":{\"type\":\"dns\",\"value\":\"b.test\"}}" },
    { "challenge", challenge_post, { "z", "http-01" }, "{}" },
    { "finalize", order_finalize, { "o" }, "{\"csr\":\"%s\"}" },
    { "giving up", authorization_post, { "z" }, "{\"status\":\"deactivated\"}" },
};

static const char *payload_of(struct fixture *f, const struct step *step)
{
    const char *mark = strstr(step->payload, "%s");
    if (mark == NULL)
        return step->payload;
    return arena_printf(f->arena, "%.*s%s%s", (int)(mark - step->payload), step->payload, f->csr, mark + 2);
}

static void make(struct loose *loose, struct fixture *f, const struct step *step)
{
    loose_make(loose, &f->caraway, payload_of(f, step));
    const struct account account = signer();
    loose_sign(loose, &account);
    loose->rq.key = f->key;
    loose->rq.jws.kid = "https://ca.test/account/a";
    memcpy(loose->rq.params, step->params, sizeof step->params);
}

/* ---- what comes between */

struct change {
    void (*work)(struct store_txn *txn, void *arg);
    enum acme_problem_type type;
    const char *detail; /* holds this */
};

static void put_state(struct store_txn *txn, enum account_state to)
{
    struct account account = signer();
    account.state = to;
    store_put_account(txn, &account);
}

static void suspend(struct store_txn *txn, void *arg)
{
    (void)arg;
    put_state(txn, ACCOUNT_SUSPENDED);
}

static void deactivate(struct store_txn *txn, void *arg)
{
    (void)arg;
    put_state(txn, ACCOUNT_DEACTIVATED);
}

static void change_key(struct store_txn *txn, void *arg)
{
    (void)arg;
    struct account account = signer();
    account.thumbprint = "another";
    store_put_account(txn, &account);
}

static void take_away(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_delete_account(txn, "a");
}

static const struct change changes[] = {
    { suspend, PROBLEM_UNAUTHORIZED, "suspended" },
    { deactivate, PROBLEM_UNAUTHORIZED, "deactivated" },
    { change_key, PROBLEM_UNAUTHORIZED, "key has been changed" },
    { take_away, PROBLEM_ACCOUNT_DOES_NOT_EXIST, "removed" },
};

static void ignore(void *arg, enum store_status status)
{
    (void)arg;
    assert_int_equal(status, STORE_OK);
}

/* The handler sees the store as it was; its job stands behind the change. */
static bool run_behind(struct fixture *f, struct loose *loose, request_handler *handler,
                       void (*work)(struct store_txn *txn, void *arg))
{
    struct loose_block block;
    struct store_job job = { .work = work, .done = ignore };
    loose_block(&block, f->caraway.store);
    store_submit(f->caraway.store, &job);
    loose_begin(loose, handler);
    loose_release(&block);
    return loose_end(loose);
}

/* Everything in the store, as text. */
static void export_to(struct fixture *f, struct buf *out)
{
    char why[STORE_WHY_SIZE], block[4096];
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(store_export(f->caraway.store, fileno(file), why), STORE_OK);
    rewind(file);
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(out, block, got);
    fclose(file);
}

static void refuse_every_step(struct fixture *f, const struct change *change)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct loose loose;
        AUTO_BUF(expected, 1 << 16);
        AUTO_BUF(found, 1 << 16);
        assert_int_equal(store_write(f->caraway.store, put_all, NULL), STORE_OK);
        assert_int_equal(store_write(f->caraway.store, change->work, NULL), STORE_OK);
        export_to(f, &expected);
        assert_int_equal(store_write(f->caraway.store, put_all, NULL), STORE_OK);
        make(&loose, f, &steps[i]);
        if (run_behind(f, &loose, steps[i].handler, change->work) || loose.rq.problem.type != change->type ||
            strstr(loose.rq.problem.detail, change->detail) == NULL)
            fail_msg("%s, %s: %s", steps[i].name, change->detail, loose.rq.problem.detail);
        loose_drop(&loose);
        export_to(f, &found);
        assert_string_equal(buf_str(&found), buf_str(&expected));
    }
}

static void who_may_act_no_more_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
        refuse_every_step(*state, &changes[i]);
}

static void pass(struct store_txn *txn, void *arg)
{
    (void)txn;
    (void)arg;
}

/* Else the case above would show nothing. The others start what needs a network or a signer. */
static void who_may_act_passes(void **state)
{
    struct fixture *f = *state;
    static const size_t rows[] = { 0, 2, 3, 6, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct loose loose;
        make(&loose, f, &steps[rows[i]]);
        if (!run_behind(f, &loose, steps[rows[i]].handler, pass))
            fail_msg("%s: %s", steps[rows[i]].name, loose.rq.problem.detail);
        loose_drop(&loose);
    }
}

/* ---- two changes at once */

static void change_owner(struct store_txn *txn, void *arg)
{
    (void)arg;
    struct account account = signer();
    static const char *former[] = { "former" };
    account.owner = "team b";
    account.former_keys = (struct texts) { former, 1 };
    store_put_account(txn, &account);
}

static void an_update_keeps_what_else_was_changed(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) { /* contacts, then the end */
        struct loose loose;
        struct account account;
        make(&loose, f, &steps[i]);
        assert_true(run_behind(f, &loose, account_post, change_owner));
        loose_drop(&loose);
        AUTO(store_txn) txn = store_begin_read(f->caraway.store);
        assert_true(store_get_account(txn, f->arena, "a", &account));
        assert_string_equal(account.owner, "team b");
        assert_int_equal(account.former_keys.count, 1);
        assert_int_equal(account.state, i == 0 ? ACCOUNT_VALID : ACCOUNT_DEACTIVATED);
        assert_int_equal(account.contacts.count, i == 0 ? 1 : 0);
    }
}

static void change_rules(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_external_key(
        txn, &(struct external_key) {
                 .id = "k", .owner = "team b", .lifetime_ms = 86400000, .revoked_ms = 5, .bound = 7, .created_ms = 1 });
}

static struct external_key change_behind(struct fixture *f, const char *payload, bool passes)
{
    struct loose loose;
    struct external_key key;
    loose_make(&loose, &f->caraway, payload);
    loose.rq.params[0] = "k";
    assert_int_equal(run_behind(f, &loose, external_key_change, change_rules), passes);
    loose_drop(&loose);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(store_get_external_key(txn, f->arena, "k", &key));
    return key;
}

static void a_change_of_a_key_keeps_what_else_was_changed(void **state)
{
    struct external_key key = change_behind(*state, "{\"names\":[\"b.test\"],\"comment\":\"mine\"}", true);
    assert_int_equal(key.names.count, 1);
    assert_string_equal(key.names.items[0], "b.test");
    assert_string_equal(key.comment, "mine");
    assert_string_equal(key.owner, "team b");
    assert_int_equal(key.lifetime_ms, 86400000);
    assert_int_equal(key.revoked_ms, 5);
    assert_int_equal(key.bound, 7);
}

/* The names that made it lawful are gone by then. */
static void a_change_of_a_key_is_judged_by_what_comes_of_it(void **state)
{
    struct external_key key = change_behind(*state, "{\"pre_authorized\":true}", false);
    assert_false(key.pre_authorized);
    assert_int_equal(key.names.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_may_act_no_more_is_refused),
        CASE(who_may_act_passes),
        CASE(an_update_keeps_what_else_was_changed),
        CASE(a_change_of_a_key_keeps_what_else_was_changed),
        CASE(a_change_of_a_key_is_judged_by_what_comes_of_it),
    };
    return cmocka_run_group_tests_name("meanwhile", tests, NULL, NULL);
}
