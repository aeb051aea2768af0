/* Parts of caraway-challtestsrv by themselves: hosts as keys, histories, faults. */
#include "test-client/challtestsrv/faults.h"
#include "test-client/challtestsrv/history.h"

#include "tests/unit.h"

static void assert_key(const char *host, const char *expected)
{
    char key[DNS_NAME_SIZE];
    cts_host_key(cts_host_without_port(bytes_text(host)), key);
    assert_string_equal(key, expected);
}

static void test_keys_of_hosts(void **state)
{
    (void)state;
    assert_key("A.Test.", "a.test");
    assert_key("a.test:80", "a.test");
    assert_key("127.0.0.1:5002", "127.0.0.1");
    assert_key("[FC00::1]:80", "fc00::1");
    assert_key("[::1]", "::1");
    assert_key("[::1", "[");
    assert_key("", "");
    assert_key("a..B", "a..b");
    char longest[2000], key[DNS_NAME_SIZE];
    memset(longest, 'X', sizeof longest);
    cts_host_key(bytes_of(longest, sizeof longest), key);
    assert_int_equal(strlen(key), DNS_NAME_SIZE - 1);
}

static void assert_history(const struct cts_history *history, enum cts_event kind, const char *host,
                           const char *expected)
{
    AUTO_BUF(text, 4096);
    cts_history_write(history, kind, host, &text);
    assert_string_equal(buf_str(&text), expected);
}

static void test_history(void **state)
{
    (void)state;
    AUTO(cts_history) history = cts_history_create(4096);
    assert_non_null(history);
    cts_history_add(history, CTS_EVENT_HTTP, "a", bytes_text("1"));
    cts_history_add(history, CTS_EVENT_DNS, "a", bytes_text("2"));
    cts_history_add(history, CTS_EVENT_HTTP, "ab", bytes_text("3"));
    cts_history_add(history, CTS_EVENT_HTTP, "a", bytes_text("4"));
    assert_history(history, CTS_EVENT_HTTP, "a", "[1,4]");
    assert_history(history, CTS_EVENT_TLSALPN, "a", "[]");
    cts_history_clear(history, CTS_EVENT_HTTP, "a");
    assert_history(history, CTS_EVENT_HTTP, "a", "[]");
    assert_history(history, CTS_EVENT_HTTP, "ab", "[3]");
    cts_history_clear(history, CTS_EVENT_HTTP, "ab"); /* the last of the list */
    cts_history_add(history, CTS_EVENT_DNS, "a", bytes_text("5"));
    assert_history(history, CTS_EVENT_DNS, "a", "[2,5]");
    assert_int_equal(cts_history_count(history, CTS_EVENT_DNS), 2);
    cts_history_reset(history);
    assert_history(history, CTS_EVENT_DNS, "a", "[]");
    assert_int_equal(cts_history_count(history, CTS_EVENT_DNS), 0);
}

static void test_the_oldest_are_forgotten(void **state)
{
    (void)state;
    AUTO(cts_history) history = cts_history_create(1000);
    assert_non_null(history);
    char event[400];
    memset(event, '1', sizeof event);
    for (int i = 0; i < 10; i++) {
        event[0] = (char)('0' + i);
        cts_history_add(history, CTS_EVENT_HTTP, "a", bytes_of(event, sizeof event));
    }
    assert_int_equal(cts_history_count(history, CTS_EVENT_HTTP), 2);
    AUTO_BUF(text, 4096);
    cts_history_write(history, CTS_EVENT_HTTP, "a", &text);
    assert_int_equal(buf_str(&text)[1], '8');
    char too_long[1000] = { 0 };
    cts_history_add(history, CTS_EVENT_HTTP, "a", bytes_of(too_long, sizeof too_long));
    assert_int_equal(cts_history_count(history, CTS_EVENT_HTTP), 0);
}

static void count_faults(void *arg, struct bytes host, enum cts_protocol protocol, const struct cts_fault *fault)
{
    (void)host;
    (void)protocol;
    *(unsigned *)arg += fault->failures;
}

static void test_faults(void **state)
{
    (void)state;
    AUTO(cts_faults) faults = cts_faults_create();
    assert_non_null(faults);
    *cts_faults_of(faults, "*.a.test", CTS_PROTOCOL_HTTP) = (struct cts_fault) { .delay_ms = 5, .failures = 1 };
    cts_faults_of(faults, "own.a.test", CTS_PROTOCOL_DNS)->failures = 2;
    assert_int_equal(cts_faults_meet(faults, "a.test", CTS_PROTOCOL_HTTP).failures, 0);
    assert_int_equal(cts_faults_meet(faults, "x.y.a.test", CTS_PROTOCOL_DNS).failures, 0);
    struct cts_fault met = cts_faults_meet(faults, "x.y.a.test", CTS_PROTOCOL_HTTP);
    assert_int_equal(met.failures, 1);
    assert_int_equal(met.delay_ms, 5);
    met = cts_faults_meet(faults, "x.a.test", CTS_PROTOCOL_HTTP);
    assert_int_equal(met.failures, 0);
    assert_int_equal(met.delay_ms, 5);
    assert_int_equal(cts_faults_meet(faults, "own.a.test", CTS_PROTOCOL_HTTP).delay_ms, 0);
    unsigned failures = 0;
    assert_true(cts_faults_each(faults, count_faults, &failures));
    assert_int_equal(failures, 2);
    cts_faults_reset(faults);
    assert_int_equal(cts_faults_meet(faults, "own.a.test", CTS_PROTOCOL_DNS).failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_hosts),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_the_oldest_are_forgotten),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
