/* An external account key and its accounts, however many. */
#include "server/policy/external.h"

#include "server/management/external_admin.h"
#include "server/policy/policy.h"
#include "storage/upkeep.h"
#include "tests/server/loose_request.h"
#include "tests/unit.h"

#include <stdio.h>

enum { MANY = 100000, BATCH = 10000, PAGE = 1000, SMALL_BYTES = 2048 };

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings settings;
    struct caraway caraway;
    int bound; /* accounts so far */
};

static void put_keys(struct store_txn *txn, void *arg)
{
    (void)arg;
    static const char *names[] = { "*.test" };
    const struct external_key key = { .id = "k", .names = { names, 1 }, .owner = "team a", .created_ms = 1 };
    store_put_external_key(txn, &key);
    store_put_external_key(txn, &(struct external_key) { .id = "l", .created_ms = 1 });
}

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->world = world_manual(&f->clock, 1000);
    f->caraway = (struct caraway) { .world = &f->world, .settings = &f->settings };
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    assert_int_equal(store_write(f->caraway.store, put_keys, NULL), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_drop(f->caraway.store);
    free(f);
    return 0;
}

struct binding {
    struct fixture *f;
    int count;
    struct loose loose;
    bool refused;
};

static void bind_accounts(struct store_txn *txn, void *arg)
{
    struct binding *binding = arg;
    for (int i = 0; i < binding->count; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%06d", binding->f->bound + i);
        struct account account = { .id = id, .thumbprint = id, .external_key = "k", .created_ms = 1 };
        arena_reset(binding->loose.rq.arena);
        binding->refused = !external_note(txn, &binding->loose.rq, &account);
        if (binding->refused)
            return;
        store_put_account(txn, &account);
    }
}

static bool bind_many(struct fixture *f, int count)
{
    struct binding binding = { .f = f, .count = count };
    loose_make(&binding.loose, &f->caraway, NULL);
    assert_int_equal(store_write(f->caraway.store, bind_accounts, &binding), STORE_OK);
    loose_drop(&binding.loose);
    f->bound += binding.refused ? 0 : count;
    return !binding.refused;
}

static json_t *ask(struct fixture *f, request_handler *handler, const char *body, const char *after)
{
    struct loose loose;
    loose_make(&loose, &f->caraway, body);
    loose.rq.params[0] = "k";
    loose.arguments[0] = (struct loose_argument) { "limit", "1000" };
    loose.arguments[1] = (struct loose_argument) { after != NULL ? "after" : NULL, after };
    json_t *answer = loose_run(&loose, handler) ? loose_answer(&loose) : NULL;
    loose_drop(&loose);
    return answer;
}

/* ---- a hundred thousand accounts */

/* The arena has no room for more than the key itself. */
static void assert_loads_in_little_room(struct fixture *f)
{
    struct policy policy;
    struct acme_problem problem;
    AUTO(arena) arena = arena_create(SMALL_BYTES);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(policy_load(&f->caraway, txn, arena, "k", &policy, &problem));
    assert_int_equal(policy.key.bound, f->bound);
}

/* The newest first, each once. */
static void assert_pages_hold_all(struct fixture *f)
{
    char after[32] = "";
    int left = f->bound;
    do {
        AUTO_TYPE(json_t) answer = ask(f, external_key_get, NULL, after[0] != '\0' ? after : NULL);
        const json_t *accounts = json_object_get(answer, "accounts");
        assert_int_equal(json_integer_value(json_object_get(answer, "bound")), f->bound);
        assert_int_equal(json_array_size(accounts), PAGE);
        for (size_t i = 0; i < PAGE; i++) {
            char id[16];
            snprintf(id, sizeof id, "a%06d", --left);
            assert_string_equal(json_string_value(json_array_get(accounts, i)), id);
        }
        const char *next = json_member_text(answer, "next");
        snprintf(after, sizeof after, "%s", next != NULL ? next : "");
    } while (after[0] != '\0');
    assert_int_equal(left, 0);
}

static void on_fault(void *arg, const char *sentence)
{
    (void)arg;
    fail_msg("%s", sentence);
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

static void assert_owner(struct fixture *f, const char *owner)
{
    struct store_listener listener = { on_fault, go_on, NULL };
    struct store_counts counts;
    AUTO(arena) arena = arena_create(1 << 16);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    for (int i = 0; i < f->bound; i++) {
        struct account account;
        char id[16];
        snprintf(id, sizeof id, "a%06d", i);
        arena_reset(arena);
        assert_true(store_get_account(txn, arena, id, &account));
        assert_string_equal(account.owner, owner);
    }
    assert_int_equal(store_check(f->caraway.store, &listener, &counts), STORE_OK);
}

static void a_key_may_have_a_hundred_thousand_accounts(void **state)
{
    struct fixture *f = *state;
    while (f->bound < MANY)
        assert_true(bind_many(f, BATCH));
    assert_loads_in_little_room(f);
    assert_pages_hold_all(f);
    assert_owner(f, "team a");
    AUTO_TYPE(json_t) changed = ask(f, external_key_change, "{\"owner\":\"team b\"}", NULL);
    assert_non_null(changed);
    assert_owner(f, "team b");
}

/* ---- few */

static void what_it_bound_counts_even_when_they_are_gone(void **state)
{
    struct fixture *f = *state;
    AUTO_TYPE(json_t) limited = ask(f, external_key_change, "{\"uses\":2}", NULL);
    assert_non_null(limited);
    assert_true(bind_many(f, 1));
    assert_true(bind_many(f, 1));
    assert_false(bind_many(f, 1));
    AUTO_TYPE(json_t) answer = ask(f, external_key_get, NULL, NULL);
    assert_string_equal(json_member_text(answer, "status"), "used up");
    AUTO_TYPE(json_t) more = ask(f, external_key_change, "{\"uses\":3}", NULL);
    assert_non_null(more);
    assert_true(bind_many(f, 1));
}

static void delete_account(struct store_txn *txn, void *id)
{
    store_delete_account(txn, id);
}

static void only_a_key_that_rules_over_nobody_is_removed(void **state)
{
    struct fixture *f = *state;
    assert_true(bind_many(f, 1));
    assert_null(ask(f, external_key_delete, NULL, NULL));
    assert_int_equal(store_write(f->caraway.store, delete_account, (void *)(uintptr_t) "a000000"), STORE_OK);
    AUTO_TYPE(json_t) gone = ask(f, external_key_delete, NULL, NULL);
    assert_non_null(gone);
}

static void a_position_that_is_none_is_refused(void **state)
{
    assert_null(ask(*state, external_key_get, NULL, ""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_key_may_have_a_hundred_thousand_accounts),
        CASE(what_it_bound_counts_even_when_they_are_gone),
        CASE(only_a_key_that_rules_over_nobody_is_removed),
        CASE(a_position_that_is_none_is_refused),
    };
    return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
