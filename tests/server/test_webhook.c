#include "server/webhook/webhook_inside.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_come_ever_later_up_to_a_bound),
        cmocka_unit_test(a_body_tells_what_is_known_and_nothing_of_the_queue),
        cmocka_unit_test(a_revocation_says_its_reason_also_0),
        cmocka_unit_test(however_large_they_are_all_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
