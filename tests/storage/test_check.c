/* What caraway check finds: each kind of damage, planted by hand, on both drivers. */
#include "storage/indexes.h"
#include "storage/txn.h"
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"

#include <stdio.h>

struct findings {
    struct buf text;
    int progress_calls;
    bool stop;
};

static void on_fault(void *arg, const char *sentence)
{
    struct findings *findings = arg;
    buf_printf(&findings->text, "%s\n", sentence);
}

static bool on_progress(void *arg, const struct store_counts *counts)
{
    struct findings *findings = arg;
    assert_true(counts->records + counts->keys > 0);
    findings->progress_calls++;
    return !findings->stop;
}

static struct store_counts check(struct fixture *fixture, struct findings *findings)
{
    struct store_listener listener = { on_fault, on_progress, findings };
    struct store_counts counts;
    findings->text = BUF_INIT(1 << 16);
    assert_int_equal(store_check(fixture->store, &listener, &counts), STORE_OK);
    return counts;
}

static void assert_finds(struct fixture *fixture, const char *expected)
{
    struct findings findings = { .stop = false };
    struct store_counts counts = check(fixture, &findings);
    assert_string_equal(buf_str(&findings.text), expected);
    assert_int_equal(counts.faults, *expected != '\0');
    buf_free(&findings.text);
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
}

/* Keys and values behind the store's back. */
struct raw {
    struct key key;
    struct bytes value;
    bool remove;
};

static void raw_work(struct store_txn *txn, void *arg)
{
    struct raw *raw = arg;
    txn_note(txn, raw->remove ? txn->driver->del(txn->txn, key_bytes(&raw->key))
                              : txn->driver->put(txn->txn, key_bytes(&raw->key), raw->value));
}

static struct raw index_key(enum store_index index, const char *subject, int64_t time_ms, const char *id)
{
    struct raw raw = { .key = key_of_subject(index, subject), .value = bytes_of("", 0) };
    if (index_by_time(index))
        key_add_time(&raw.key, time_ms);
    key_add_id(&raw.key, id);
    return raw;
}

static struct raw record_key(const struct record_type *type, const char *id, struct bytes value)
{
    struct raw raw = { .value = value };
    assert_true(key_of_record(type == &record_type_order ? RECORD_order : RECORD_account, id, &raw.key));
    return raw;
}

static void an_empty_database_is_clean(void **state)
{
    assert_finds(*state, "");
}

static void what_the_store_wrote_is_clean(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    struct findings findings = { .stop = false };
    struct store_counts counts = check(fixture, &findings);
    assert_int_equal(counts.faults, 0);
    assert_int_equal(counts.records, 5);
    assert_int_equal(counts.keys, 14);
    buf_free(&findings.text);
}

static void a_missing_key_is_found(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    struct raw raw = index_key(STORE_ORDER_BY_ACCOUNT, "a1", 0, "o1");
    raw.remove = true;
    write_ok(fixture, raw_work, &raw);
    assert_finds(fixture, "order o1 is missing in the index ORDER_BY_ACCOUNT\n");
}

static void a_key_without_its_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    struct raw raw = index_key(STORE_ACCOUNT_BY_KEY, "t1", 0, "ghost");
    write_ok(fixture, raw_work, &raw);
    assert_finds(fixture, "the index ACCOUNT_BY_KEY has a key that no account has: t1?ghost\n");
}

static void a_key_that_its_record_left_is_found(void **state)
{
    struct fixture *fixture = *state;
    put_one_of_each(fixture);
    struct raw raw = index_key(STORE_EXPIRY_ORDER, "", 4999, "o1");
    write_ok(fixture, raw_work, &raw);
    assert_finds(fixture, "the index EXPIRY_ORDER has a key that no order has: ????????\?o1\n");
}

static void a_damaged_record_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct raw raw = record_key(&record_type_order, "o\x1b[2J", bytes_text("\x01garbage"));
    write_ok(fixture, raw_work, &raw);
    assert_finds(fixture, "order o?[2J is damaged\n");
}

static void a_record_under_another_id_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct account account = { .id = "a2" };
    AUTO_BUF(value, 1 << 16);
    record_encode(&value, &record_type_account, &account);
    struct raw raw = record_key(&record_type_account, "a1", buf_bytes(&value));
    write_ok(fixture, raw_work, &raw);
    assert_finds(fixture, "account a1 is damaged\n");
}

static void put_many(struct store_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < STORE_PROGRESS_STEPS; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%06d", i);
        struct account account = { .id = id };
        store_put_account(txn, &account);
    }
}

static void the_listener_hears_and_may_end_it(void **state)
{
    struct fixture *fixture = *state;
    struct findings findings = { .stop = false };
    struct store_listener listener = { on_fault, on_progress, &findings };
    struct store_counts counts;
    write_ok(fixture, put_many, NULL);
    check(fixture, &findings);
    assert_int_equal(findings.progress_calls, 1);
    findings.stop = true;
    assert_int_equal(store_check(fixture->store, &listener, &counts), STORE_CLOSED);
    buf_free(&findings.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(an_empty_database_is_clean),
        CASE_ON_BOTH(what_the_store_wrote_is_clean),
        CASE_ON_BOTH(a_missing_key_is_found),
        CASE_ON_BOTH(a_key_without_its_record_is_found),
        CASE_ON_BOTH(a_damaged_record_is_found),
        CASE_ON_BOTH(a_key_that_its_record_left_is_found),
        CASE_ON_BOTH(the_listener_hears_and_may_end_it),
        CASE_ON_BOTH(a_record_under_another_id_is_found),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
