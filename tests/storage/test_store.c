/* The store's contract, every case on both drivers. */
#include "tests/storage/fixture.h"

#include <stdio.h>

static void assert_listed(const struct store_page *page, const char *expected, bool more)
{
    AUTO_BUF(ids, 1 << 16);
    for (size_t i = 0; i < page->ids.count; i++)
        buf_printf(&ids, "%s%s", i > 0 ? " " : "", page->ids.items[i]);
    assert_string_equal(buf_str(&ids), expected);
    assert_true((page->next != NULL) == more);
}

static void put_one_of_each(struct fixture *fixture)
{
    struct account account = sample_account("a1", "t1");
    struct order order = sample_order("o1", "a1", 5000);
    struct authorization authz = sample_authorization("z1", "a1", "example.test");
    struct certificate certificate = sample_certificate("0a", "a1", 9000);
    write_ok(fixture, put_account, &account);
    write_ok(fixture, put_order, &order);
    write_ok(fixture, put_authorization, &authz);
    write_ok(fixture, put_certificate, &certificate);
    write_ok(fixture, put_external_key, sample_of(&record_type_external_key));
    write_ok(fixture, put_rate_bucket, sample_of(&record_type_rate_bucket));
    write_ok(fixture, put_rate_override, sample_of(&record_type_rate_override));
    write_ok(fixture, put_pause, sample_of(&record_type_pause));
    write_ok(fixture, put_webhook_event, sample_of(&record_type_webhook_event));
}

static void puts_and_gets_every_record(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    put_one_of_each(fixture);
    const struct account account_put = sample_account("a1", "t1");
    const struct order order_put = sample_order("o1", "a1", 5000);
    const struct authorization authorization_put = sample_authorization("z1", "a1", "example.test");
    const struct certificate certificate_put = sample_certificate("0a", "a1", 9000);
    const struct external_key external_key_put = *(const struct external_key *)sample_of(&record_type_external_key);
    const struct rate_bucket rate_bucket_put = *(const struct rate_bucket *)sample_of(&record_type_rate_bucket);
    const struct rate_override rate_override_put = *(const struct rate_override *)sample_of(&record_type_rate_override);
    const struct pause pause_put = *(const struct pause *)sample_of(&record_type_pause);
    const struct webhook_event webhook_event_put = *(const struct webhook_event *)sample_of(&record_type_webhook_event);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
#define X(record, fields, class, id_field)                                                                             \
    struct record record##_got;                                                                                        \
    assert_true(store_get_##record(txn, arena, record##_put.id_field, &record##_got));                                 \
    assert_string_equal(sample_json(arena, &record_type_##record, &record##_put),                                      \
                        sample_json(arena, &record_type_##record, &record##_got));
    RECORD_TABLE(X)
#undef X
}

static void finds_by_every_index(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    put_one_of_each(fixture);
    struct order order = sample_order("o1", "a1", 5000);
    const struct {
        enum store_index index;
        const char *subject, *id;
    } rows[] = {
        { STORE_ACCOUNT_BY_KEY, "t1", "a1" },
        { STORE_ORDER_BY_ACCOUNT, "a1", "o1" },
        { STORE_AUTHORIZATION_BY_NAME, "a1/dns:**.example.test", "z1" },
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
        { STORE_WEBHOOK_DUE, "", "event1" },
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

static void what_is_not_there_is_no_error(void **state)
{
    struct fixture *fixture = *state;
    char long_id[600];
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct order order;
    assert_false(store_get_order(txn, fixture->arena, "none", &order));
    assert_false(store_get_order(txn, fixture->arena, "", &order));
    assert_false(store_get_order(txn, fixture->arena, long_id, &order));
    assert_null(store_find(txn, fixture->arena, STORE_ORDER_BY_ACCOUNT, long_id));
    assert_null(store_get_setting(txn, fixture->arena, "none"));
    assert_null(store_get_setting(txn, fixture->arena, long_id));
    assert_int_equal(store_txn_status(txn), STORE_OK);
}

static void delete_order(struct store_txn *txn, void *arg)
{
    store_delete_order(txn, arg);
}

static void deletes_with_the_indexes(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    write_ok(fixture, delete_order, "o1");
    write_ok(fixture, delete_order, "o1");
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct order order;
    assert_false(store_get_order(txn, fixture->arena, "o1", &order));
    assert_null(store_find(txn, fixture->arena, STORE_ORDER_BY_ACCOUNT, "a1"));
    assert_null(store_find(txn, fixture->arena, STORE_EXPIRY_ORDER, ""));
    assert_non_null(store_find(txn, fixture->arena, STORE_CERTIFICATE_BY_ACCOUNT, "a1"));
}

static void put_orders(struct store_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < 7; i++) {
        char id[8];
        snprintf(id, sizeof id, "o%d", i);
        struct order order = sample_order(id, i == 3 ? "other" : "mine", 1000 * (10 - i));
        store_put_order(txn, &order);
    }
}

static void pages_by_position(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    write_ok(fixture, put_orders, NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct store_page page;
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", NULL, 4, false, &page));
    assert_listed(&page, "o0 o1 o2 o4", true);
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", page.next, 2, false, &page));
    assert_listed(&page, "o5 o6", false);
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", "o3", 100, false, &page)); /* not one of them */
    assert_listed(&page, "o4 o5 o6", false);
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", "o6", 100, false, &page));
    assert_listed(&page, "", false);
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "min", NULL, 100, false, &page));
    assert_listed(&page, "", false);
}

static void expiry_is_in_order_of_time(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    write_ok(fixture, put_orders, NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct store_page page;
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", NULL, 3, false, &page));
    assert_listed(&page, "o6 o5 o4", true);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", page.next, 3, false, &page));
    assert_listed(&page, "o3 o2 o1", true);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", page.next, 3, false, &page));
    assert_listed(&page, "o0", false);
    const char *from = store_position_from(arena, 8000);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", from, 2, false, &page));
    assert_listed(&page, "o2 o1", true);
    from = store_position_from(arena, 8001);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", from, 9, false, &page));
    assert_listed(&page, "o1 o0", false);
    assert_false(store_list(txn, arena, STORE_EXPIRY_ORDER, "", "o0", 3, false, &page));
    assert_int_equal(store_txn_status(txn), STORE_OK);
}

static void lists_an_index_newest_first(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    write_ok(fixture, put_orders, NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct store_page page;
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", NULL, 4, true, &page));
    assert_listed(&page, "o6 o5 o4 o2", true);
    assert_true(store_list(txn, arena, STORE_ORDER_BY_ACCOUNT, "mine", page.next, 4, true, &page));
    assert_listed(&page, "o1 o0", false);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", NULL, 5, true, &page));
    assert_listed(&page, "o0 o1 o2 o3 o4", true);
    assert_true(store_list(txn, arena, STORE_EXPIRY_ORDER, "", page.next, 5, true, &page));
    assert_listed(&page, "o5 o6", false);
}

static void lists_a_class_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct account account = sample_account("zz", "t"); /* classes beside must not show up */
    struct authorization authz = sample_authorization("00", "mine", "a.test");
    write_ok(fixture, put_account, &account);
    write_ok(fixture, put_authorization, &authz);
    write_ok(fixture, put_orders, NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct store_page page;
    assert_true(store_list_all(txn, arena, RECORD_order, NULL, 5, false, &page));
    assert_listed(&page, "o0 o1 o2 o3 o4", true);
    assert_true(store_list_all(txn, arena, RECORD_order, page.next, 5, false, &page));
    assert_listed(&page, "o5 o6", false);
    assert_true(store_list_all(txn, arena, RECORD_order, NULL, 5, true, &page));
    assert_listed(&page, "o6 o5 o4 o3 o2", true);
    assert_true(store_list_all(txn, arena, RECORD_order, page.next, 2, true, &page));
    assert_listed(&page, "o1 o0", false);
    assert_true(store_list_all(txn, arena, RECORD_certificate, NULL, 5, true, &page));
    assert_listed(&page, "", false);
    assert_true(store_list_all(txn, arena, RECORD_order, NULL, SIZE_MAX, true, &page));
    assert_int_equal(page.ids.count, 7);
}

static void a_snapshot_stands_still(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct order order = sample_order("o1", "before", 5000);
    write_ok(fixture, put_order, &order);
    AUTO(store_txn) old = store_begin_read(fixture->store);
    order.account = "after";
    write_ok(fixture, put_order, &order); /* with the reader open: neither may wait for the other */
    AUTO(store_txn) new = store_begin_read(fixture->store);
    assert_true(store_get_order(old, arena, "o1", &order));
    assert_string_equal(order.account, "before");
    assert_non_null(store_find(old, arena, STORE_ORDER_BY_ACCOUNT, "before"));
    assert_null(store_find(old, arena, STORE_ORDER_BY_ACCOUNT, "after"));
    assert_true(store_get_order(new, arena, "o1", &order));
    assert_string_equal(order.account, "after");
    assert_null(store_find(new, arena, STORE_ORDER_BY_ACCOUNT, "before"));
}

struct look {
    struct fixture *fixture;
    bool inside, outside;
};

static void put_and_look(struct store_txn *txn, void *arg)
{
    struct look *look = arg;
    struct order order = sample_order("o1", "a1", 5000);
    store_put_order(txn, &order);
    look->inside = store_get_order(txn, look->fixture->arena, "o1", &order);
    AUTO(store_txn) reader = store_begin_read(look->fixture->store); /* on the writer's thread */
    look->outside = store_get_order(reader, look->fixture->arena, "o1", &order);
}

static void a_job_sees_its_own_writes_first(void **state)
{
    struct look look = { *state, false, true };
    write_ok(look.fixture, put_and_look, &look);
    assert_true(look.inside);
    assert_false(look.outside);
}

static void put_then_fail(struct store_txn *txn, void *arg)
{
    struct fixture *fixture = arg;
    struct order order = sample_order("o1", "a1", 5000);
    store_put_order(txn, &order);
    store_txn_fail(txn, STORE_NO_MEMORY);
    store_txn_fail(txn, STORE_IO); /* the first one sticks */
    assert_false(store_get_order(txn, fixture->arena, "o1", &order));
    assert_null(store_find(txn, fixture->arena, STORE_ORDER_BY_ACCOUNT, "a1"));
    store_delete_order(txn, "o1");
}

static void a_failed_job_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(store_write(fixture->store, put_then_fail, fixture), STORE_NO_MEMORY);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    struct order order;
    assert_false(store_get_order(txn, fixture->arena, "o1", &order));
    assert_null(store_find(txn, fixture->arena, STORE_ORDER_BY_ACCOUNT, "a1"));
    assert_int_equal(store_txn_status(txn), STORE_OK);
}

static void a_full_arena_fails_the_transaction(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    AUTO(arena) small = arena_create(256);
    struct order order;
    assert_false(store_get_order(txn, small, "o1", &order));
    assert_int_equal(store_txn_status(txn), STORE_NO_MEMORY);
    struct store_page page;
    assert_false(store_list_all(txn, fixture->arena, RECORD_order, NULL, 1, false, &page));
    AUTO(store_txn) other = store_begin_read(fixture->store);
    assert_false(store_list_all(other, small, RECORD_order, NULL, 100, false, &page));
    assert_int_equal(store_txn_status(other), STORE_NO_MEMORY);
}

static void put_settings(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_setting(txn, "issuer", "int-1");
    store_put_setting(txn, "issuer", "int-2");
    store_put_setting(txn, "empty", "");
}

static void keeps_settings(void **state)
{
    struct fixture *fixture = *state;
    write_ok(fixture, put_settings, NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_string_equal(store_get_setting(txn, fixture->arena, "issuer"), "int-2");
    assert_string_equal(store_get_setting(txn, fixture->arena, "empty"), "");
}

static void put_many(struct store_txn *txn, void *arg)
{
    int *from = arg;
    static char blob[32 << 10];
    for (int i = 0; i < 16; i++) {
        char serial[16];
        snprintf(serial, sizeof serial, "%08d", *from + i);
        struct certificate certificate = sample_certificate(serial, "a1", 9000);
        certificate.der = bytes_of(blob, sizeof blob);
        store_put_certificate(txn, &certificate);
    }
}

static void delete_many(struct store_txn *txn, void *arg)
{
    int *from = arg;
    for (int i = 0; i < 16; i++) {
        char serial[16];
        snprintf(serial, sizeof serial, "%08d", *from + i);
        store_delete_certificate(txn, serial);
    }
}

static void recovers_from_being_full(void **state)
{
    struct fixture *fixture = *state;
    int from = 0;
    enum store_status status = STORE_OK;
    for (; from < 1600 && status == STORE_OK; from += 16)
        status = store_write(fixture->store, put_many, &from);
    assert_int_equal(status, STORE_FULL);
    int first = 0;
    struct certificate certificate;
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_certificate(txn, fixture->arena, "00000000", &certificate));
    from -= 16;
    char serial[16];
    snprintf(serial, sizeof serial, "%08d", from);
    assert_false(
        store_get_certificate(txn, fixture->arena, serial, &certificate)); /* not even the first of the batch */
    store_end_read(TAKE(txn));
    write_ok(fixture, delete_many, &first);
    for (int round = 0; round < 4; round++) /* freed pages come back after a transaction or two */
        write_ok(fixture, put_settings, NULL);
    write_ok(fixture, put_many, &first);
}

static void an_unknown_driver_is_refused(void **state)
{
    (void)state;
    char why[STORE_WHY_SIZE];
    struct store *store;
    struct store_options options = { .driver = "punch-cards" };
    assert_int_equal(store_open(&options, &store, why), STORE_NOT_FOUND);
    assert_non_null(strstr(why, "\"punch-cards\""));
}

static void statuses_have_texts(void **state)
{
    (void)state;
    assert_string_equal(store_status_text(STORE_OK), "done");
    assert_string_equal(store_status_text(STORE_FULL), "no space left for the database");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(puts_and_gets_every_record),
        CASE_ON_BOTH(finds_by_every_index),
        CASE_ON_BOTH(what_is_not_there_is_no_error),
        CASE_ON_BOTH(deletes_with_the_indexes),
        CASE_ON_BOTH(pages_by_position),
        CASE_ON_BOTH(expiry_is_in_order_of_time),
        CASE_ON_BOTH(lists_an_index_newest_first),
        CASE_ON_BOTH(lists_a_class_both_ways),
        CASE_ON_BOTH(a_snapshot_stands_still),
        CASE_ON_BOTH(a_job_sees_its_own_writes_first),
        CASE_ON_BOTH(a_failed_job_leaves_nothing),
        CASE_ON_BOTH(a_full_arena_fails_the_transaction),
        CASE_ON_BOTH(keeps_settings),
        CASE_ON_BOTH(recovers_from_being_full),
        cmocka_unit_test(an_unknown_driver_is_refused),
        cmocka_unit_test(statuses_have_texts),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
