/* Pages of objects: cut where they grow too long, and whole beside a record that cannot be read. */
#include "server/management/objects.h"

#include "storage/keys.h"
#include "storage/txn.h"
#include "tests/server/loose_request.h"
#include "tests/unit.h"

#include <stdio.h>

enum { LONG_BYTES = 300 << 10, HUGE_BYTES = 3500 << 10, LONG_ONES = 10 };

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings settings;
    struct caraway caraway;
    uint8_t *der;
};

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->world = world_manual(&f->clock, 1000);
    f->caraway = (struct caraway) { .world = &f->world, .settings = &f->settings };
    f->der = calloc(1, HUGE_BYTES);
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_drop(f->caraway.store);
    free(f->der);
    free(f);
    return 0;
}

static void put_certificate(struct store_txn *txn, const struct fixture *f, const char *serial, size_t len)
{
    store_put_certificate(txn, &(struct certificate) { .serial = serial, .der = { f->der, len } });
}

static void put_long_ones(struct store_txn *txn, void *arg)
{
    for (int i = 0; i < LONG_ONES; i++) {
        char serial[16];
        snprintf(serial, sizeof serial, "c%d", i);
        put_certificate(txn, arg, serial, LONG_BYTES);
    }
}

static void put_huge_one(struct store_txn *txn, void *arg)
{
    put_certificate(txn, arg, "c1", 1);
    put_certificate(txn, arg, "c2", HUGE_BYTES);
    put_certificate(txn, arg, "c3", 1);
}

/* Bytes behind the store's back. */
static void put_raw(struct store_txn *txn, enum record_class class, const char *id, struct bytes value)
{
    struct key key;
    assert_true(key_of_record(class, id, &key));
    txn_note(txn, txn->driver->put(txn->txn, key_bytes(&key), value));
}

static void put_damaged_ones(struct store_txn *txn, void *arg)
{
    (void)arg;
    static const char *const ids[] = { "a1", "a2", "a3", "a4" };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        store_put_account(txn, &(struct account) { .id = ids[i] });
    AUTO_BUF(other, 1 << 10);
    record_encode(&other, &record_type_account, &(struct account) { .id = "somebody else" });
    put_raw(txn, RECORD_account, "a2", bytes_text("\x01garbage"));
    put_raw(txn, RECORD_account, "a3", buf_bytes(&other));
}

static json_t *ask(struct fixture *f, request_handler *handler, const char *collection, const char *id,
                   const char *after, int *out_status)
{
    struct loose loose;
    loose_make(&loose, &f->caraway, NULL);
    loose.rq.params[0] = collection;
    loose.rq.params[1] = id;
    loose.arguments[0] = (struct loose_argument) { after != NULL ? "after" : NULL, after };
    bool good = loose_run(&loose, handler);
    *out_status = good ? loose.rq.reply.status : loose.rq.problem.status;
    json_t *answer = good ? loose_answer(&loose) : NULL;
    loose_drop(&loose);
    return answer;
}

static json_t *list(struct fixture *f, const char *collection, const char *after)
{
    int status;
    json_t *answer = ask(f, objects_get, collection, NULL, after, &status);
    assert_int_equal(status, 200);
    return answer;
}

static const char *entry(const json_t *answer, const char *list_name, size_t i, const char *member)
{
    const char *text = json_member_text(json_array_get(json_object_get(answer, list_name), i), member);
    return text != NULL ? text : "";
}

static void a_page_ends_before_it_is_too_long(void **state)
{
    struct fixture *f = *state;
    char after[16] = "";
    int left = LONG_ONES, pages = 0;
    assert_int_equal(store_write(f->caraway.store, put_long_ones, f), STORE_OK);
    do {
        AUTO_TYPE(json_t) answer = list(f, "certificates", after[0] != '\0' ? after : NULL);
        size_t count = json_array_size(json_object_get(answer, "certificates"));
        const char *next = json_member_text(answer, "next");
        assert_true(count > 0 && json_object_get(answer, "unreadable") == NULL);
        for (size_t i = 0; i < count; i++) {
            char serial[16];
            snprintf(serial, sizeof serial, "c%d", --left);
            assert_string_equal(entry(answer, "certificates", i, "serial"), serial);
        }
        snprintf(after, sizeof after, "%s", next != NULL ? next : "");
        pages++;
    } while (after[0] != '\0');
    assert_int_equal(left, 0);
    assert_true(pages > 1);
}

static void one_that_no_answer_holds_is_named(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_write(f->caraway.store, put_huge_one, f), STORE_OK);
    AUTO_TYPE(json_t) answer = list(f, "certificates", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "certificates")), 2);
    assert_string_equal(entry(answer, "certificates", 0, "serial"), "c3");
    assert_string_equal(entry(answer, "certificates", 1, "serial"), "c1");
    assert_int_equal(json_array_size(json_object_get(answer, "unreadable")), 1);
    assert_string_equal(entry(answer, "unreadable", 0, "id"), "c2");
    assert_non_null(strstr(entry(answer, "unreadable", 0, "why"), "too long"));
}

static void damaged_ones_are_named_beside_the_others(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_write(f->caraway.store, put_damaged_ones, NULL), STORE_OK);
    AUTO_TYPE(json_t) answer = list(f, "accounts", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "accounts")), 2);
    assert_string_equal(entry(answer, "accounts", 0, "id"), "a4");
    assert_string_equal(entry(answer, "accounts", 1, "id"), "a1");
    assert_int_equal(json_array_size(json_object_get(answer, "unreadable")), 2);
    assert_string_equal(entry(answer, "unreadable", 0, "id"), "a3");
    assert_string_equal(entry(answer, "unreadable", 1, "id"), "a2");
    assert_string_equal(entry(answer, "unreadable", 1, "why"), store_status_text(STORE_CORRUPT));
}

static void one_by_one_each_says_how_it_is(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *id;
        int status;
    } rows[] = { { "a1", 200 }, { "a2", 500 }, { "a3", 500 }, { "a5", 404 } };
    assert_int_equal(store_write(f->caraway.store, put_damaged_ones, NULL), STORE_OK);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int status;
        AUTO_TYPE(json_t) answer = ask(f, object_get, "accounts", rows[i].id, NULL, &status);
        assert_int_equal(status, rows[i].status);
        assert_int_equal(answer != NULL, status == 200);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_page_ends_before_it_is_too_long),
        CASE(one_that_no_answer_holds_is_named),
        CASE(damaged_ones_are_named_beside_the_others),
        CASE(one_by_one_each_says_how_it_is),
    };
    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
