#include "server/webhook/webhook_inside.h"

#include "storage/driver.h"
#include "tests/unit.h"

#include <stdio.h>

static void attempts_come_ever_later_up_to_a_bound(void **state)
{
    (void)state;
    static const int64_t expected[] = { 5000, 10000, 20000, 40000, 60000, 60000 };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_int_equal(webhook_backoff_ms((int64_t)i + 1, 5000, 60000), expected[i]);
    assert_int_equal(webhook_backoff_ms(1000000, 5000, 3600000), 3600000);
}

static void a_body_tells_what_is_known_and_nothing_of_the_queue(void **state)
{
    (void)state;
    struct acme_identifier names[] = { { IDENTIFIER_DNS, "a.test" }, { IDENTIFIER_IP, "192.0.2.1" } };
    const struct webhook_event issued = { .id = "e1",
                                          .event = "certificate.issued",
                                          .created_ms = 1700000000000,
                                          .account = "a1",
                                          .owner = "team \"a\"",
                                          .serial = "0a",
                                          .identifiers = { names, 2 },
                                          .not_after_ms = 1700000001000,
                                          .attempts = 3,
                                          .next_ms = 1700000002000,
                                          .error = "status 500" };
    AUTO_BUF(body, 4096);
    webhook_body(&issued, &body);
    assert_string_equal(buf_str(&body),
                        "{\"id\":\"e1\",\"event\":\"certificate.issued\",\"created\":\"2023-11-14T22:13:20Z\","
                        "\"account\":\"a1\",\"owner\":\"team \\\"a\\\"\",\"serial\":\"0a\",\"identifiers\":["
                        "{\"type\":\"dns\",\"value\":\"a.test\"},{\"type\":\"ip\",\"value\":\"192.0.2.1\"}],"
                        "\"not_after\":\"2023-11-14T22:13:21Z\"}");
}

static void a_revocation_says_its_reason_also_0(void **state)
{
    (void)state;
    const struct webhook_event revoked = { .id = "e", .event = "certificate.revoked" };
    const struct webhook_event refused = { .id = "e", .event = "order.refused", .problem = "caa", .detail = "no" };
    AUTO_BUF(body, 4096);
    webhook_body(&revoked, &body);
    assert_non_null(strstr(buf_str(&body), "\"reason\":0"));
    buf_clear(&body);
    webhook_body(&refused, &body);
    assert_null(strstr(buf_str(&body), "reason"));
    assert_non_null(strstr(buf_str(&body), "\"problem\":\"caa\",\"detail\":\"no\""));
}

enum { MANY = 1000, NAMES = 100, NOW_MS = 5000 };

static void put_many(struct store_txn *txn, void *arg)
{
    (void)arg;
    struct acme_identifier names[NAMES];
    char ids[MANY][8];
    for (size_t i = 0; i < NAMES; i++)
        names[i] = (struct acme_identifier) { IDENTIFIER_DNS, "a-name-as-long-as-they-often-are.example.test" };
    for (size_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "e%04zu", i);
        store_put_webhook_event(txn, &(struct webhook_event) { .id = ids[i], .identifiers = { names, NAMES } });
    }
}

static void retry_many(struct store_txn *txn, void *arg)
{
    *(int64_t *)arg = webhook_retry_all(txn, NOW_MS);
}

/* After a long outage there are as many as a page holds, and large ones. */
static void however_large_they_are_all_are_tried_again(void **state)
{
    (void)state;
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct webhook_event last;
    int64_t count = 0;
    AUTO(store) store = NULL;
    AUTO(arena) arena = arena_create(1 << 20);
    assert_int_equal(store_open(&options, &store, why), STORE_OK);
    assert_int_equal(store_write(store, put_many, NULL), STORE_OK);
    assert_int_equal(store_write(store, retry_many, &count), STORE_OK);
    assert_int_equal(count, MANY);
    AUTO(store_txn) txn = store_begin_read(store);
    assert_true(store_get_webhook_event(txn, arena, "e0999", &last));
    assert_int_equal(last.next_ms, NOW_MS);
}

enum { EXPIRING = 250, DAY_MS = 86400000 };

static int commits_left;

static enum store_status commit_or_not(void *txn)
{
    if (commits_left-- > 0)
        return driver_memory.commit(txn);
    driver_memory.abort(txn);
    return STORE_FULL;
}

static struct acme_identifier expiring_name(char text[static 24], int i)
{
    snprintf(text, 24, "n%d.test", i);
    return (struct acme_identifier) { IDENTIFIER_DNS, text };
}

static void put_expiring(struct store_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < EXPIRING; i++) {
        char serial[24], text[24];
        struct acme_identifier name = expiring_name(text, i);
        snprintf(serial, sizeof serial, "%04d", i);
        store_put_certificate(txn, &(struct certificate) { .serial = serial,
                                                           .identifiers = { &name, 1 },
                                                           .not_before_ms = 1,
                                                           .not_after_ms = (int64_t)60 * DAY_MS + i });
    }
    /* the first was to be replaced, in vain; the second was */
    store_put_order(txn, &(struct order) { .id = "failed", .state = ORDER_INVALID });
    store_put_order(txn, &(struct order) { .id = "done", .state = ORDER_VALID });
    for (int i = 0; i < 2; i++) {
        char text[24];
        struct acme_identifier name = expiring_name(text, i);
        store_put_certificate(txn, &(struct certificate) { .serial = i == 0 ? "0000" : "0001",
                                                           .identifiers = { &name, 1 },
                                                           .not_before_ms = 1,
                                                           .not_after_ms = (int64_t)60 * DAY_MS + i,
                                                           .replaced_by = i == 0 ? "failed" : "done" });
    }
}

static size_t stored_events(struct store *store, struct arena *arena)
{
    AUTO(store_txn) txn = store_begin_read(store);
    struct store_page page;
    arena_reset(arena);
    assert_true(store_list_all(txn, arena, RECORD_webhook_event, NULL, STORE_PAGE_MAX, false, &page));
    return page.ids.count;
}

/* The disk fills up behind the first page: what is on the next ones is told later. */
static void a_scan_that_breaks_off_loses_no_certificate(void **state)
{
    (void)state;
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct store_driver driver = driver_memory;
    struct world_manual clock;
    struct world world = world_manual(&clock, (int64_t)50 * DAY_MS);
    struct settings settings = { .webhook_queue = 10000, .webhook_expiry_notice_ms = (int64_t)14 * DAY_MS };
    struct webhook webhook = { .settings = &settings, .kinds = 1U << WEBHOOK_EXPIRING };
    struct caraway caraway = { .settings = &settings, .world = &world, .webhook = &webhook };
    webhook.caraway = &caraway;
    driver.commit = commit_or_not;
    commits_left = 1000;
    AUTO(arena) arena = arena_create(16 << 20);
    assert_int_equal(store_open_driver(&driver, &options, &caraway.store, why), STORE_OK);
    assert_int_equal(store_write(caraway.store, put_expiring, NULL), STORE_OK);
    commits_left = 1;
    webhook_scan_expiring(&webhook, arena);
    commits_left = 1000;
    webhook_scan_expiring(&webhook, arena);
    assert_int_equal(stored_events(caraway.store, arena),
                     EXPIRING - 1 + 1); /* all but one, and who stands at the seam twice */
    webhook_scan_expiring(&webhook, arena);
    assert_int_equal(stored_events(caraway.store, arena), EXPIRING);
    store_drop(caraway.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_come_ever_later_up_to_a_bound),
        cmocka_unit_test(a_body_tells_what_is_known_and_nothing_of_the_queue),
        cmocka_unit_test(a_revocation_says_its_reason_also_0),
        cmocka_unit_test(however_large_they_are_all_are_tried_again),
        cmocka_unit_test(a_scan_that_breaks_off_loses_no_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
