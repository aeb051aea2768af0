#include "test-client/load_report.h"
#include "tests/unit.h"

static struct tc_load_result result_of_two(void)
{
    struct tc_load_result result = { .clients = 3, .unfinished = 1, .elapsed_us = 500000, .client_us = 3000 };
    tc_load_count_issued(&result, 2000, (struct tc_flow_times) { .answered_us = 1000, .paused_us = 500 });
    tc_load_count_issued(&result, 2000, (struct tc_flow_times) { .answered_us = 1000, .paused_us = 500 });
    return result;
}

static void the_table_has_figures_and_units(void **state)
{
    (void)state;
    struct tc_load_result result = result_of_two();
    AUTO_BUF(text, 4096);
    tc_load_write_table(&result, &text);
    assert_string_equal(buf_str(&text), "clients                   3\n"
                                        "time                      0.500 s\n"
                                        "issued                    2\n"
                                        "failed                    0\n"
                                        "unfinished                1\n"
                                        "throughput                4.000 issuances/s\n"
                                        "p50                       2.000 ms\n"
                                        "p90                       2.000 ms\n"
                                        "p99                       2.000 ms\n"
                                        "max                       2.000 ms\n"
                                        "server, p50               1.000 ms\n"
                                        "pauses, p50               0.500 ms\n"
                                        "client CPU                1.500 ms/issuance\n");
}

static void json_is_read_back(void **state)
{
    (void)state;
    struct tc_load_result result = result_of_two();
    result.server_us = 5000;
    result.requests = 15;
    tc_load_count_failure(&result, "order", &(struct tc_problem) { .type = "rateLimited", .detail = "too \"many\"" });
    AUTO_BUF(text, 8192);
    tc_load_write_json(&result, &text);
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(buf_bytes(&text), why);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "issued")), 2);
    assert_true(json_real_value(json_object_get(object, "server_cpu_ms_per_issuance")) == 2.5);
    assert_true(json_real_value(json_object_get(object, "requests_per_issuance")) == 7.5);
    assert_true(json_real_value(json_object_get(object, "server_ms")) == 1.0);
    assert_true(json_real_value(json_object_get(object, "paused_ms")) == 0.5);
    const json_t *error = json_array_get(json_object_get(object, "errors"), 0);
    assert_string_equal(json_member_text(error, "first_detail"), "too \"many\"");
    assert_string_equal(json_member_text(error, "step"), "order");
}

static void what_was_counted_is_named(void **state)
{
    (void)state;
    struct tc_load_result result = result_of_two();
    result.unit = "request";
    AUTO_BUF(text, 4096);
    tc_load_write_table(&result, &text);
    assert_non_null(strstr(buf_str(&text), "4.000 requests/s\n"));
    assert_non_null(strstr(buf_str(&text), "1.500 ms/request\n"));
}

static void nothing_issued_divides_by_nothing(void **state)
{
    (void)state;
    struct tc_load_result result = { .clients = 1 };
    AUTO_BUF(text, 4096);
    tc_load_write_table(&result, &text);
    assert_false(text.failed);
}

static void failures_are_counted_by_type_and_step(void **state)
{
    (void)state;
    struct tc_load_result result = { 0 };
    const struct tc_problem dns = { .type = "dns", .detail = "first" }, again = { .type = "dns", .detail = "second" };
    tc_load_count_failure(&result, "validation", &dns);
    tc_load_count_failure(&result, "validation", &again);
    tc_load_count_failure(&result, "order", &again);
    assert_int_equal(result.failed, 3);
    assert_int_equal(result.failure_kinds, 2);
    assert_int_equal(result.failures[0].count, 2);
    assert_string_equal(result.failures[0].detail, "first");
}

static void too_many_kinds_of_failure_share_the_last(void **state)
{
    (void)state;
    struct tc_load_result result = { 0 };
    for (int i = 0; i < TC_LOAD_FAILURE_KINDS + 10; i++) {
        char type[16];
        snprintf(type, sizeof type, "type-%d", i);
        tc_load_count_failure(&result, "order", &(struct tc_problem) { .type = type, .detail = "" });
    }
    assert_int_equal(result.failed, TC_LOAD_FAILURE_KINDS + 10);
    assert_int_equal(result.failure_kinds, TC_LOAD_FAILURE_KINDS);
    assert_int_equal(result.failures[TC_LOAD_FAILURE_KINDS - 1].count, 11);
}

static void long_details_are_cut_between_characters(void **state)
{
    (void)state;
    struct tc_load_result result = { 0 };
    char detail[2 * TC_WHY_SIZE + 1] = "";
    for (size_t i = 0; i < TC_WHY_SIZE; i++) {
        detail[2 * i] = '\xc3';
        detail[2 * i + 1] = '\xa4';
    }
    tc_load_count_failure(&result, "order", &(struct tc_problem) { .type = "dns", .detail = detail });
    assert_int_equal(strlen(result.failures[0].detail), TC_WHY_SIZE - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_figures_and_units),
        cmocka_unit_test(json_is_read_back),
        cmocka_unit_test(what_was_counted_is_named),
        cmocka_unit_test(nothing_issued_divides_by_nothing),
        cmocka_unit_test(failures_are_counted_by_type_and_step),
        cmocka_unit_test(too_many_kinds_of_failure_share_the_last),
        cmocka_unit_test(long_details_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
