/* The store's contract, every case on both drivers. */
#include "tests/storage/samples.h"

struct fixture {
    const char *driver;
    char path[64];
    struct store *store;
    struct arena *arena;
};

static void reopen(struct fixture *fixture)
{
    char why[STORE_WHY_SIZE];
    store_drop(fixture->store);
    fixture->store = NULL;
    struct store_options options = { fixture->driver, fixture->path, 16 << 20, false };
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->driver = *state;
    sample_path(fixture->path);
    fixture->arena = arena_create(16 << 20);
    reopen(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_drop(fixture->store);
    sample_remove(fixture->path);
    arena_drop(fixture->arena);
    free(fixture);
    return 0;
}

static void put_account(struct store_txn *txn, void *arg)
{
    store_put_account(txn, arg);
}

static void put_order(struct store_txn *txn, void *arg)
{
    store_put_order(txn, arg);
}

static void put_authorization(struct store_txn *txn, void *arg)
{
    store_put_authorization(txn, arg);
}

static void put_certificate(struct store_txn *txn, void *arg)
{
    store_put_certificate(txn, arg);
}

static void write_ok(struct fixture *fixture, void (*work)(struct store_txn *, void *), void *arg)
{
    assert_int_equal(store_write(fixture->store, work, arg), STORE_OK);
}

static void puts_and_gets_every_record(void **state)
{
    struct fixture *fixture = *state;
    struct account account = sample_account("a1", "t1");
    struct order order = sample_order("o1", "a1", 5000);
    struct authorization authz = sample_authorization("z1", "a1", "example.test");
    struct certificate certificate = sample_certificate("0a", "a1", 9000);
    write_ok(fixture, put_account, &account);
    write_ok(fixture, put_order, &order);
    write_ok(fixture, put_authorization, &authz);
    write_ok(fixture, put_certificate, &certificate);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
#define X(record, fields, class, id_field)                                                                             \
    struct record record##_got;                                                                                        \
    assert_true(store_get_##record(txn, fixture->arena, record##_put->id_field, &record##_got));                       \
    assert_string_equal(sample_json(fixture->arena, &record_type_##record, record##_put),                              \
                        sample_json(fixture->arena, &record_type_##record, &record##_got));
    const struct account *account_put = &account;
    const struct order *order_put = &order;
    const struct authorization *authorization_put = &authz;
    const struct certificate *certificate_put = &certificate;
    RECORD_TABLE(X)
#undef X
}

static void finds_by_every_index(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct account account = sample_account("a1", "t1");
    struct order order = sample_order("o1", "a1", 5000);
    struct authorization authz = sample_authorization("z1", "a1", "example.test");
    struct certificate certificate = sample_certificate("0a", "a1", 9000);
    write_ok(fixture, put_account, &account);
    write_ok(fixture, put_order, &order);
    write_ok(fixture, put_authorization, &authz);
    write_ok(fixture, put_certificate, &certificate);
    const struct {
        enum store_index index;
        const char *subject, *id;
    } rows[] = {
        { STORE_ACCOUNT_BY_KEY, "t1", "a1" },
        { STORE_ORDER_BY_ACCOUNT, "a1", "o1" },
        { STORE_AUTHORIZATION_BY_NAME, "a1/dns:*.example.test", "z1" },
        { STORE_AUTHORIZATION_PROCESSING, "", "z1" },
        { STORE_CERTIFICATE_BY_ACCOUNT, "a1", "0a" },
        { STORE_CERTIFICATE_BY_NAME, "dns:test.example.www", "0a" },
        { STORE_CERTIFICATE_BY_NAME, "dns:test.example.*", "0a" },
        { STORE_CERTIFICATE_BY_NAME, "ip:192.0.2.7", "0a" },
        { STORE_CERTIFICATE_BY_SET, store_subject_of_set(arena, &order.identifiers), "0a" },
        { STORE_CERTIFICATE_BY_KEY, "30030201", "0a" },
        { STORE_EXPIRY_ORDER, "", "o1" },
        { STORE_EXPIRY_AUTHORIZATION, "", "z1" },
        { STORE_EXPIRY_CERTIFICATE, "", "0a" },
    };
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *id = store_find(txn, arena, rows[i].index, rows[i].subject);
        assert_non_null(id);
        assert_string_equal(id, rows[i].id);
    }
    assert_null(store_find(txn, arena, STORE_ACCOUNT_BY_KEY, "t"));
    assert_null(store_find(txn, arena, STORE_CERTIFICATE_BY_NAME, "dns:test.example"));
    assert_int_equal(store_txn_status(txn), STORE_OK);
}

static void keeps_over_reopen(void **state)
{
    struct fixture *fixture = *state;
    struct account account = sample_account("a1", "t1");
    write_ok(fixture, put_account, &account);
    reopen(fixture);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    const char *id = store_find(txn, fixture->arena, STORE_ACCOUNT_BY_KEY, "t1");
    bool durable = strcmp(fixture->driver, "lmdb") == 0;
    assert_true((id != NULL) == durable);
}

#define CASE(name)                                                                                                     \
    { "lmdb/" #name, name, set_up, tear_down, (void *)"lmdb" },                                                        \
    {                                                                                                                  \
        "memory/" #name, name, set_up, tear_down, (void *)"memory"                                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(puts_and_gets_every_record),
        CASE(finds_by_every_index),
        CASE(keeps_over_reopen),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
