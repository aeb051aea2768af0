#include "validators/trace.h"

#include "tests/unit.h"

static void steps_carry_times(void **state)
{
    (void)state;
    struct val_trace trace;
    val_trace_start(&trace, 1000);
    json_out_text(val_trace_step(&trace, "dns", 1000, 1003), "name", "a.test");
    val_trace_end(&trace);
    json_out_int(val_trace_step(&trace, "http", 1003, 1010), "status", 200);
    val_trace_end(&trace);
    assert_string_equal(val_trace_finish(&trace), "[{\"step\":\"dns\",\"at_ms\":0,\"took_ms\":3,\"name\":\"a.test\"},"
                                                  "{\"step\":\"http\",\"at_ms\":3,\"took_ms\":7,\"status\":200}]");
    val_trace_free(&trace);
}

static void nothing_happened(void **state)
{
    (void)state;
    struct val_trace trace;
    val_trace_start(&trace, 0);
    assert_string_equal(val_trace_finish(&trace), "[]");
    val_trace_free(&trace);
}

static void what_does_not_fit_is_cut_whole(void **state)
{
    (void)state;
    struct val_trace trace;
    char filler[1001];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    val_trace_start(&trace, 0);
    for (int i = 0; i < 100; i++) {
        json_out_text(val_trace_step(&trace, "dns", 0, 0), "filler", i == 50 ? "" : filler);
        val_trace_end(&trace);
    }
    const char *text = val_trace_finish(&trace);
    size_t len = strlen(text);
    assert_in_range(len, VAL_TRACE_MAX_BYTES - 1100, VAL_TRACE_MAX_BYTES);
    json_error_t error;
    json_t *array = json_loads(text, 0, &error);
    size_t count = json_array_size(array);
    assert_int_equal(count, 16);
    assert_string_equal(json_member_text(json_array_get(array, count - 1), "step"), "cut");
    assert_string_equal(json_member_text(json_array_get(array, count - 2), "filler"), filler);
    json_decref(array);
    val_trace_free(&trace);
}

static void a_first_step_that_does_not_fit(void **state)
{
    (void)state;
    struct val_trace trace;
    AUTO_BUF(filler, 20000);
    while (filler.len < 18000)
        buf_char(&filler, 'x');
    val_trace_start(&trace, 0);
    json_out_text(val_trace_step(&trace, "dns", 0, 0), "filler", buf_str(&filler));
    val_trace_end(&trace);
    assert_string_equal(val_trace_finish(&trace), "[{\"step\":\"cut\"}]");
    val_trace_free(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_carry_times),
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(what_does_not_fit_is_cut_whole),
        cmocka_unit_test(a_first_step_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
