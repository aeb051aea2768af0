/* Versions of the database: made, brought forward step by step, refused. */
#include "storage/schema.h"
#include "tests/storage/fixture.h"

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
    assert_setting(*state, "schema-version", "1");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(a_new_database_has_our_version),    CASE_ON_BOTH(an_old_database_goes_through_every_step),
        CASE_ON_BOTH(steps_it_has_are_left_out),         CASE_ON_BOTH(a_newer_one_is_refused),
        CASE_ON_BOTH(a_version_that_is_none_is_refused), CASE_ON_BOTH(a_step_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
