/* Versions of the database: made, brought forward step by step, refused. */
#include "storage/keys.h"
#include "storage/schema.h"
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"
#include "tests/storage/spy.h"

#include <stdio.h>

static void to_two(struct store_txn *txn)
{
    store_put_setting(txn, "trail", "2");
}

static void to_five(struct store_txn *txn)
{
    AUTO(arena) arena = arena_create(4096);
    const char *trail = store_get_setting(txn, arena, "trail");
    store_put_setting(txn, "trail", arena_printf(arena, "%s 5", trail != NULL ? trail : "-"));
}

static void fails(struct store_txn *txn)
{
    store_put_setting(txn, "trail", "half");
    store_txn_fail(txn, STORE_FULL);
}

static const struct migration steps[] = { { 2, to_two }, { 5, to_five } };
static const struct migration broken_steps[] = { { 2, fails }, { 5, to_five } };
static const struct schema schema = { steps, ARRAY_SIZE(steps) };
static const struct schema broken = { broken_steps, ARRAY_SIZE(broken_steps) };

struct settle {
    const struct schema *schema;
    const char *version; /* what the database has before */
    enum store_status status;
    char why[STORE_WHY_SIZE];
};

static void put_version(struct store_txn *txn, void *arg)
{
    store_put_setting(txn, "schema-version", arg);
}

static void settle_work(struct store_txn *txn, void *arg)
{
    struct settle *settle = arg;
    settle->status = schema_settle(txn, settle->schema, "/some/db", settle->why);
}

static void assert_setting(struct fixture *fixture, const char *name, const char *expected)
{
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    const char *value = store_get_setting(txn, fixture->arena, name);
    assert_string_equal(value != NULL ? value : "none", expected);
}

static void settle(struct fixture *fixture, struct settle *settle)
{
    if (settle->version != NULL)
        write_ok(fixture, put_version, settle->version);
    enum store_status stored = store_write(fixture->store, settle_work, settle);
    assert_int_equal(stored, settle->status);
}

static void a_new_database_has_our_version(void **state)
{
    assert_setting(*state, "schema-version", "2");
}

static void an_old_database_goes_through_every_step(void **state)
{
    struct settle one = { .schema = &schema, .version = "1" };
    settle(*state, &one);
    assert_int_equal(one.status, STORE_OK);
    assert_setting(*state, "trail", "2 5");
    assert_setting(*state, "schema-version", "5");
}

static void steps_it_has_are_left_out(void **state)
{
    struct settle two = { .schema = &schema, .version = "2" };
    settle(*state, &two);
    assert_int_equal(two.status, STORE_OK);
    assert_setting(*state, "trail", "- 5");
    struct settle five = { .schema = &schema };
    settle(*state, &five);
    assert_int_equal(five.status, STORE_OK);
    assert_setting(*state, "trail", "- 5");
}

static void a_newer_one_is_refused(void **state)
{
    struct settle newer = { .schema = &schema, .version = "6" };
    settle(*state, &newer);
    assert_int_equal(newer.status, STORE_VERSION);
    assert_non_null(strstr(newer.why, "/some/db has schema version 6, this program knows versions up to 5"));
    assert_setting(*state, "schema-version", "6");
}

static void a_version_that_is_none_is_refused(void **state)
{
    static const char *const texts[] = { "", "x", "1x", "0", "-1", "99999999999999999999999" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct settle odd = { .schema = &schema, .version = texts[i] };
        settle(*state, &odd);
        assert_true(odd.status == STORE_CORRUPT || odd.status == STORE_VERSION);
    }
}

static void a_step_that_fails_changes_nothing(void **state)
{
    struct settle half = { .schema = &broken, .version = "1" };
    settle(*state, &half);
    assert_int_equal(half.status, STORE_FULL);
    assert_non_null(strstr(half.why, "to schema version 5: no space left"));
    assert_setting(*state, "schema-version", "1");
    assert_setting(*state, "trail", "none");
}

/* ---- to version 2: an external account key listed its accounts; since then an index does */

enum { OLD_ACCOUNTS = 1200, FEW_ACCOUNTS = 12 };

struct old {
    struct arena *arena;
    int accounts;
};

/* The database as version 1 wrote it: a list in the key, with one account that was pruned since, and no index. */
static void put_version_one(struct store_txn *txn, void *arg)
{
    struct old *old = arg;
    const char **ids = arena_array(old->arena, (size_t)old->accounts + 1, sizeof *ids);
    for (int i = 0; i <= old->accounts; i++)
        ids[i] = arena_printf(old->arena, "a%06d", i);
    const struct external_key key = { .id = "k", .uses = 5000, .accounts = { ids, (size_t)old->accounts + 1 } };
    store_put_external_key(txn, &key);
    store_put_external_key(txn, &(struct external_key) { .id = "unused", .owner = "team b" });
    store_put_account(txn, &(struct account) { .id = "free", .thumbprint = "free" });
    for (int i = 0; i < old->accounts; i++) {
        struct account account = { .id = ids[i], .thumbprint = ids[i], .external_key = "k", .owner = "team a" };
        struct key entry = key_of_subject(STORE_ACCOUNT_BY_EXTERNAL_KEY, "k");
        key_add_id(&entry, ids[i]);
        store_put_account(txn, &account);
        txn_note(txn, txn->driver->del(txn->txn, key_bytes(&entry)));
    }
    store_put_setting(txn, "schema-version", "1");
}

static void put_damaged(struct store_txn *txn, void *arg)
{
    (void)arg;
    struct key key;
    assert_true(key_of_record(RECORD_account, "a000000x", &key));
    txn_note(txn, txn->driver->put(txn->txn, key_bytes(&key), bytes_text("\x01garbage")));
}

static size_t count_accounts(struct store_txn *txn, struct arena *arena)
{
    struct store_page page = { 0 };
    size_t count = 0;
    do {
        assert_true(store_list(txn, arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, "k", page.next, 500, true, &page));
        count += page.ids.count;
    } while (page.next != NULL);
    return count;
}

static void on_fault(void *arg, const char *sentence)
{
    (void)sentence;
    ++*(int *)arg;
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

static int faults(struct fixture *fixture)
{
    int count = 0;
    struct store_listener listener = { on_fault, go_on, &count };
    struct store_counts counts;
    assert_int_equal(store_check(fixture->store, &listener, &counts), STORE_OK);
    return count;
}

static void assert_version_two(struct fixture *fixture, int accounts)
{
    struct external_key key;
    assert_setting(fixture, "schema-version", "2");
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_external_key(txn, fixture->arena, "k", &key));
    assert_int_equal(key.accounts.count, 0);
    assert_int_equal(key.bound, accounts + 1);
    assert_int_equal(key.uses, 5000);
    assert_true(store_get_external_key(txn, fixture->arena, "unused", &key));
    assert_int_equal(key.bound, 0);
    assert_string_equal(key.owner, "team b");
    assert_int_equal(count_accounts(txn, fixture->arena), accounts);
}

static void the_list_of_a_key_becomes_an_index(void **state)
{
    struct fixture *fixture = *state;
    struct settle ours = { .schema = &store_schema };
    write_ok(fixture, put_version_one, &(struct old) { fixture->arena, OLD_ACCOUNTS });
    assert_int_equal(faults(fixture), OLD_ACCOUNTS);
    settle(fixture, &ours);
    assert_int_equal(ours.status, STORE_OK);
    assert_version_two(fixture, OLD_ACCOUNTS);
    assert_int_equal(faults(fixture), 0);
}

static void a_damaged_record_does_not_stop_it(void **state)
{
    struct fixture *fixture = *state;
    struct settle ours = { .schema = &store_schema };
    write_ok(fixture, put_version_one, &(struct old) { fixture->arena, OLD_ACCOUNTS });
    write_ok(fixture, put_damaged, NULL);
    settle(fixture, &ours);
    assert_int_equal(ours.status, STORE_OK);
    assert_version_two(fixture, OLD_ACCOUNTS);
    assert_int_equal(faults(fixture), 1);
}

/* As the next start finds it, and the one after. */
static void an_old_directory_is_brought_forward_when_it_is_opened(void **state)
{
    struct fixture *fixture = *state;
    write_ok(fixture, put_version_one, &(struct old) { fixture->arena, OLD_ACCOUNTS });
    for (int i = 0; i < 2; i++) {
        fixture_reopen(fixture);
        assert_version_two(fixture, OLD_ACCOUNTS);
        assert_int_equal(faults(fixture), 0);
    }
}

static void assert_version_one(struct fixture *fixture)
{
    struct external_key key;
    assert_setting(fixture, "schema-version", "1");
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_external_key(txn, fixture->arena, "k", &key));
    assert_int_equal(key.accounts.count, FEW_ACCOUNTS + 1);
    assert_int_equal(count_accounts(txn, fixture->arena), 0);
}

/* Whatever call of the database fails under way, the next start has the old one whole. */
static void it_is_done_whole_or_not_at_all(void **state)
{
    (void)state;
    char why[STORE_WHY_SIZE];
    struct fixture fixture = { .arena = arena_create(1 << 20) };
    struct settle ours = { .schema = &store_schema, .status = STORE_IO };
    spy_reset();
    assert_int_equal(store_open_driver(&driver_spy, &(struct store_options) { 0 }, &fixture.store, why), STORE_OK);
    write_ok(&fixture, put_version_one, &(struct old) { fixture.arena, FEW_ACCOUNTS });
    int calls = 1;
    for (bool done = false; !done; calls++) {
        atomic_store(&spy.fail_call, atomic_load(&spy.calls) + calls);
        done = store_write(fixture.store, settle_work, &ours) == STORE_OK;
        atomic_store(&spy.fail_call, 0);
        if (!done)
            assert_version_one(&fixture);
    }
    assert_true(calls > FEW_ACCOUNTS * 2);
    assert_version_two(&fixture, FEW_ACCOUNTS);
    store_drop(fixture.store);
    arena_drop(fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(a_new_database_has_our_version),
        CASE_ON_BOTH(an_old_database_goes_through_every_step),
        CASE_ON_BOTH(steps_it_has_are_left_out),
        CASE_ON_BOTH(a_newer_one_is_refused),
        CASE_ON_BOTH(a_version_that_is_none_is_refused),
        CASE_ON_BOTH(a_step_that_fails_changes_nothing),
        CASE_ON_BOTH(the_list_of_a_key_becomes_an_index),
        CASE_ON_BOTH(a_damaged_record_does_not_stop_it),
        cmocka_unit_test(it_is_done_whole_or_not_at_all),
        CASE_ON("lmdb", an_old_directory_is_brought_forward_when_it_is_opened),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
