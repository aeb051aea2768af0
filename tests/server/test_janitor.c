/* What the janitor takes away, what it leaves, and when. */
#include "server/management/janitor.h"
#include "storage/keys.h"
#include "storage/txn.h"
#include "storage/upkeep.h"
#include "tests/unit.h"

#include <stdio.h>

enum { NOW = 1000000, KEPT = 1000 };

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings settings;
    struct caraway caraway;
    struct janitor_walks *walks;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    f->world = world_manual(&f->clock, NOW);
    f->settings.retention_orders_ms = f->settings.retention_authorizations_ms = KEPT;
    f->settings.retention_certificates_ms = f->settings.retention_unused_accounts_ms = KEPT;
    f->caraway = (struct caraway) { .world = &f->world, .settings = &f->settings };
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    f->walks = janitor_walks_create();
    f->arena = arena_create(1 << 20);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_drop(f->caraway.store);
    janitor_walks_drop(f->walks);
    arena_drop(f->arena);
    free(f);
    return 0;
}

static size_t sweep(struct fixture *f)
{
    atomic_bool stop = false;
    return janitor_sweep(&f->caraway, f->walks, &stop);
}

/* One record with this end, and whether it is there after a sweep: the janitor is asked for each kind alike. */
enum kind { ORDER, AUTHORIZATION, CERTIFICATE, ACCOUNT, RATE_BUCKET, PAUSE, KINDS };
struct one {
    enum kind kind;
    int64_t end_ms;
};

static void put_one(struct store_txn *txn, void *arg)
{
    struct one *one = arg;
    switch (one->kind) {
    case ORDER:
        store_put_order(txn, &(struct order) { .id = "x", .account = "a", .expires_ms = one->end_ms });
        break;
    case AUTHORIZATION:
        store_put_authorization(txn, &(struct authorization) { .id = "x", .account = "a", .expires_ms = one->end_ms });
        break;
    case CERTIFICATE:
        store_put_certificate(txn, &(struct certificate) { .serial = "x", .not_after_ms = one->end_ms });
        break;
    case ACCOUNT:
        store_put_account(txn, &(struct account) { .id = "x", .created_ms = one->end_ms });
        break;
    case RATE_BUCKET:
        store_put_rate_bucket(txn, &(struct rate_bucket) { .id = "x", .full_us = one->end_ms * 1000 });
        break;
    case PAUSE:
        store_put_pause(txn, &(struct pause) { .id = "x", .account = "a", .grace_until_ms = one->end_ms });
        break;
    case KINDS:
        break;
    }
}

static void write_ok(struct fixture *f, void (*work)(struct store_txn *, void *), void *arg)
{
    assert_int_equal(store_write(f->caraway.store, work, arg), STORE_OK);
}

static void each_goes_when_its_time_is_over(void **state)
{
    struct fixture *f = *state;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        int64_t kept = kind < RATE_BUCKET ? KEPT : kind == RATE_BUCKET ? 1 : 0;
        struct one one = { kind, NOW - kept + 1 };
        write_ok(f, put_one, &one);
        assert_int_equal(sweep(f), 0);
        one.end_ms--;
        write_ok(f, put_one, &one);
        assert_int_equal(sweep(f), 1);
        assert_int_equal(sweep(f), 0);
    }
}

static void nought_keeps_for_ever(void **state)
{
    struct fixture *f = *state;
    f->settings.retention_orders_ms = f->settings.retention_authorizations_ms = 0;
    f->settings.retention_certificates_ms = f->settings.retention_unused_accounts_ms = 0;
    for (enum kind kind = 0; kind < RATE_BUCKET; kind++)
        write_ok(f, put_one, &(struct one) { kind, 1 });
    assert_int_equal(sweep(f), 0);
}

static void it_goes_by_the_clock_of_the_world(void **state)
{
    struct fixture *f = *state;
    write_ok(f, put_one, &(struct one) { ORDER, NOW + 5 });
    assert_int_equal(sweep(f), 0);
    f->clock.now_ms = NOW + 5 + KEPT;
    assert_int_equal(sweep(f), 1);
}

static void put_processing(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_order(txn, &(struct order) { .id = "o1", .state = ORDER_PROCESSING, .expires_ms = 1 });
    store_put_order(txn, &(struct order) { .id = "o2", .state = ORDER_VALID, .expires_ms = 2 });
}

static void an_order_in_processing_stays(void **state)
{
    struct fixture *f = *state;
    struct order order;
    write_ok(f, put_processing, NULL);
    assert_int_equal(sweep(f), 1);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(store_get_order(txn, f->arena, "o1", &order));
    assert_false(store_get_order(txn, f->arena, "o2", &order));
}

static void put_accounts(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_account(txn, &(struct account) { .id = "with-order", .created_ms = 1 });
    store_put_account(txn, &(struct account) { .id = "with-certificate", .created_ms = 1 });
    store_put_account(txn, &(struct account) { .id = "without", .created_ms = 1 });
    store_put_order(txn, &(struct order) { .id = "o", .account = "with-order", .expires_ms = NOW });
    store_put_certificate(txn,
                          &(struct certificate) { .serial = "c", .account = "with-certificate", .not_after_ms = NOW });
}

static void an_account_in_use_stays(void **state)
{
    struct fixture *f = *state;
    struct account account;
    write_ok(f, put_accounts, NULL);
    assert_int_equal(sweep(f), 1);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(store_get_account(txn, f->arena, "with-order", &account));
    assert_true(store_get_account(txn, f->arena, "with-certificate", &account));
    assert_false(store_get_account(txn, f->arena, "without", &account));
}

static void put_paused(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_pause(txn, &(struct pause) { .id = "p", .account = "a", .paused_ms = 1 });
}

static void a_pause_in_force_stays(void **state)
{
    struct fixture *f = *state;
    write_ok(f, put_paused, NULL);
    assert_int_equal(sweep(f), 0);
}

static void put_bound(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_external_key(txn, &(struct external_key) { .id = "k", .bound = 2 });
    store_put_account(txn, &(struct account) { .id = "old", .external_key = "k", .created_ms = 1 });
    store_put_account(txn, &(struct account) { .id = "young", .external_key = "k", .created_ms = NOW });
}

static void an_account_leaves_its_external_key(void **state)
{
    struct fixture *f = *state;
    struct store_page page;
    struct external_key key;
    write_ok(f, put_bound, NULL);
    assert_int_equal(sweep(f), 1);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(store_list(txn, f->arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, "k", NULL, 9, false, &page));
    assert_int_equal(page.ids.count, 1);
    assert_string_equal(page.ids.items[0], "young");
    assert_true(store_get_external_key(txn, f->arena, "k", &key));
    assert_int_equal(key.bound, 2);
}

/* Bytes behind the store's back: the first in the order of its end, and in that of ids, is damaged. */
static void damage(struct store_txn *txn, enum record_class class, const char *id, struct bytes value)
{
    struct key key;
    assert_true(key_of_record(class, id, &key));
    txn_note(txn, txn->driver->put(txn->txn, key_bytes(&key), value));
}

static void put_damaged(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_order(txn, &(struct order) { .id = "o1", .expires_ms = 1 });
    store_put_order(txn, &(struct order) { .id = "o2", .expires_ms = 2 });
    store_put_account(txn, &(struct account) { .id = "a1", .created_ms = 1 });
    store_put_account(txn, &(struct account) { .id = "a2", .created_ms = 1 });
    AUTO_BUF(nobody, 1 << 10);
    record_encode(&nobody, &record_type_account, &(struct account) { .created_ms = 1 });
    damage(txn, RECORD_order, "o1", bytes_text("\x01garbage"));
    damage(txn, RECORD_account, "a1", buf_bytes(&nobody));
}

static size_t count_in(FILE *file, const char *text)
{
    char line[1024];
    size_t count = 0;
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, text) != NULL;
    return count;
}

static void a_damaged_record_is_told_once_and_left(void **state)
{
    struct fixture *f = *state;
    FILE *file = tmpfile();
    assert_non_null(file);
    f->caraway.log = log_open(fileno(file), LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, &f->world);
    write_ok(f, put_damaged, NULL);
    assert_int_equal(sweep(f), 2);
    assert_int_equal(sweep(f), 0);
    write_ok(f, put_one, &(struct one) { ORDER, 3 });
    assert_int_equal(sweep(f), 1);
    assert_int_equal(count_in(file, "\"id\":\"o1\""), 1);
    assert_int_equal(count_in(file, "\"id\":\"a1\""), 1);
    assert_int_equal(count_in(file, "store.failed"), 2);
    log_drop(f->caraway.log);
    fclose(file);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct order order;
    assert_int_equal(store_read(txn, f->arena, RECORD_order, "o1", &order), STORE_CORRUPT);
    assert_int_equal(store_read(txn, f->arena, RECORD_order, "o2", &order), STORE_NOT_FOUND);
}

enum { MANY = 100 * JANITOR_STEP + 50 };

static void put_many(struct store_txn *txn, void *arg)
{
    enum kind kind = *(enum kind *)arg;
    for (int i = 0; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof id, "%06d", i);
        if (kind == ORDER)
            store_put_order(txn, &(struct order) { .id = id, .account = "a", .expires_ms = 1 + i / 7 });
        else
            store_put_account(txn, &(struct account) { .id = id, .created_ms = 1 });
    }
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

static void assert_empty(struct fixture *f)
{
    struct store_listener listener = { on_fault, go_on, NULL };
    struct store_counts counts;
    assert_int_equal(store_check(f->caraway.store, &listener, &counts), STORE_OK);
    assert_int_equal(counts.records + counts.keys, 0);
}

static void what_is_ordered_by_time_goes_in_one_sweep(void **state)
{
    struct fixture *f = *state;
    enum kind kind = ORDER;
    write_ok(f, put_many, &kind);
    assert_int_equal(sweep(f), MANY);
    assert_empty(f);
}

static void a_walk_goes_on_in_the_next_sweep(void **state)
{
    struct fixture *f = *state;
    enum kind kind = ACCOUNT;
    write_ok(f, put_many, &kind);
    assert_int_equal(sweep(f), 100 * JANITOR_STEP);
    assert_int_equal(sweep(f), MANY - 100 * JANITOR_STEP);
    assert_empty(f);
}

enum { TRACE_BYTES = 16384, CHALLENGES = 8 };

static void put_large(struct store_txn *txn, void *arg)
{
    char trace[TRACE_BYTES] = "";
    struct challenge challenges[CHALLENGES];
    memset(trace, '1', sizeof trace - 1);
    for (size_t i = 0; i < CHALLENGES; i++)
        challenges[i] = (struct challenge) { .type = "http-01", .trace = trace };
    for (int i = 0; i < JANITOR_STEP; i++) {
        char id[16];
        snprintf(id, sizeof id, "%06d", i);
        store_put_authorization(
            txn, &(struct authorization) { .id = id, .expires_ms = 1, .challenges = { challenges, CHALLENGES } });
    }
    (void)arg;
}

static void long_traces_go_like_short_ones(void **state)
{
    struct fixture *f = *state;
    write_ok(f, put_large, NULL);
    assert_int_equal(sweep(f), JANITOR_STEP);
    assert_empty(f);
}

static void it_stops_when_told_to(void **state)
{
    struct fixture *f = *state;
    atomic_bool stop = true;
    write_ok(f, put_one, &(struct one) { ORDER, 1 });
    assert_int_equal(janitor_sweep(&f->caraway, f->walks, &stop), 0);
}

static void the_thread_begins_at_once_and_stops(void **state)
{
    struct fixture *f = *state;
    write_ok(f, put_one, &(struct one) { ORDER, 1 });
    struct janitor *janitor = janitor_start(&f->caraway);
    assert_non_null(janitor);
    bool there = true;
    for (int64_t until_ms = monotonic_ms() + 60000; there && monotonic_ms() < until_ms;) {
        struct order order;
        AUTO(store_txn) txn = store_begin_read(f->caraway.store);
        there = store_get_order(txn, f->arena, "x", &order);
        arena_reset(f->arena);
    }
    janitor_stop(janitor);
    assert_false(there);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_goes_when_its_time_is_over),
        CASE(nought_keeps_for_ever),
        CASE(it_goes_by_the_clock_of_the_world),
        CASE(an_order_in_processing_stays),
        CASE(an_account_in_use_stays),
        CASE(a_pause_in_force_stays),
        CASE(an_account_leaves_its_external_key),
        CASE(a_damaged_record_is_told_once_and_left),
        CASE(what_is_ordered_by_time_goes_in_one_sweep),
        CASE(a_walk_goes_on_in_the_next_sweep),
        CASE(long_traces_go_like_short_ones),
        CASE(it_stops_when_told_to),
        CASE(the_thread_begins_at_once_and_stops),
    };
    return cmocka_run_group_tests_name("janitor", tests, NULL, NULL);
}
