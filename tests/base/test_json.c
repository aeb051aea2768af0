#include "base/json.h"
#include "tests/unit.h"

static void objects_are_read(void **state)
{
    (void)state;
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(" {\"a\":\"b\",\"n\":1} \n"), why);
    assert_non_null(object);
    assert_string_equal(json_member_text(object, "a"), "b");
    assert_null(json_member_text(object, "n"));
    assert_null(json_member_text(object, "absent"));
}

static void everything_else_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct bytes bad[] = {
#define TEXT(t) { (const uint8_t *)(t), sizeof(t) - 1 }
        TEXT(""),
        TEXT("[]"),
        TEXT("\"text\""),
        TEXT("null"),
        TEXT("{"),
        TEXT("{}x"),
        TEXT("{}{}"),
        TEXT("{'a':1}"),
        TEXT("{\"a\":1,}"),
        TEXT("{\"a\":1,\"a\":2}"),
        TEXT("{\"a\":\"\xff\"}"),
        TEXT("{\"a\":\"\\u0000\"}"),
        TEXT("{\"a\":\"\\ud800\"}"),
        TEXT("{\"a\":1}\0"),
        TEXT("{\"a\":NaN}"),
        { NULL, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char why[JSON_WHY_SIZE] = "";
        json_t *object = json_read_object(bad[i], why);
        if (object != NULL)
            fail_msg("case %zu was read", i);
        assert_true(strlen(why) > 0);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":[1,true,{\"b\":\"c\"}],\"d\":null}";
    char why[JSON_WHY_SIZE];
    for (size_t len = 0; len < sizeof whole - 1; len++)
        assert_null(json_read_object(bytes_of(whole, len), why));
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    AUTO_BUF(deep, 1 << 20);
    buf_text(&deep, "{\"a\":");
    for (int i = 0; i < 100000; i++)
        buf_char(&deep, '[');
    char why[JSON_WHY_SIZE];
    assert_null(json_read_object(buf_bytes(&deep), why));
}

static void write_sample(struct json_out *out)
{
    json_out_object(out, NULL);
    json_out_text(out, "text", "a/b");
    json_out_array(out, "list");
    json_out_int(out, NULL, INT64_MIN);
    json_out_bool(out, NULL, true);
    json_out_null(out, NULL);
    json_out_end_array(out);
    json_out_object(out, "empty");
    json_out_end_object(out);
    json_out_time(out, "time", 0);
    json_out_raw(out, "raw", "[1]");
    json_out_bytes(out, "bytes", bytes_of("xyz", 2));
    json_out_end_object(out);
}

static void compact_output_is_exact(void **state)
{
    (void)state;
    AUTO_BUF(buf, 1000);
    struct json_out out = JSON_OUT(&buf, 0);
    write_sample(&out);
    assert_string_equal(buf_str(&buf), "{\"text\":\"a/b\",\"list\":[-9223372036854775808,true,null],\"empty\":{},"
                                       "\"time\":\"1970-01-01T00:00:00Z\",\"raw\":[1],\"bytes\":\"xy\"}");
}

static void indented_output_is_exact(void **state)
{
    (void)state;
    AUTO_BUF(buf, 1000);
    struct json_out out = JSON_OUT(&buf, 2);
    write_sample(&out);
    assert_string_equal(buf_str(&buf), "{\n  \"text\": \"a/b\",\n  \"list\": [\n    -9223372036854775808,\n    true,\n"
                                       "    null\n  ],\n  \"empty\": {},\n  \"time\": \"1970-01-01T00:00:00Z\",\n"
                                       "  \"raw\": [1],\n  \"bytes\": \"xy\"\n}");
}

static void every_ascii_character_survives_escaping(void **state)
{
    (void)state;
    char text[128];
    for (int c = 1; c < 128; c++)
        text[c - 1] = (char)c;
    text[127] = '\0';
    AUTO_BUF(buf, 2000);
    struct json_out out = JSON_OUT(&buf, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, text, text);
    json_out_text(&out, "utf8", "\xc3\xa4\xf0\x9f\x8c\xb1");
    json_out_end_object(&out);
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(buf_bytes(&buf), why);
    assert_non_null(object);
    assert_string_equal(json_member_text(object, text), text);
    assert_string_equal(json_member_text(object, "utf8"), "\xc3\xa4\xf0\x9f\x8c\xb1");
}

static void short_escapes_are_used(void **state)
{
    (void)state;
    AUTO_BUF(buf, 100);
    struct json_out out = JSON_OUT(&buf, 0);
    json_out_bytes(&out, NULL, bytes_of("\"\\\b\f\n\r\t\0\x1f", 9));
    assert_string_equal(buf_str(&buf), "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\"");
}

static void a_full_buffer_is_the_writers_error(void **state)
{
    (void)state;
    AUTO_BUF(buf, 20);
    struct json_out out = JSON_OUT(&buf, 0);
    write_sample(&out);
    assert_true(buf.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_read),
        cmocka_unit_test(everything_else_is_refused_with_a_reason),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(compact_output_is_exact),
        cmocka_unit_test(indented_output_is_exact),
        cmocka_unit_test(every_ascii_character_survives_escaping),
        cmocka_unit_test(short_escapes_are_used),
        cmocka_unit_test(a_full_buffer_is_the_writers_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
