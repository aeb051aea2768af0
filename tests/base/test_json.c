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

/* Plain objects have a reader of their own (json_plain.h): it must agree with jansson on what it reads and what not. */
static void texts_are_read_as_jansson_reads_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        " \t\r\n{ \t\r\n} \t\r\n",
        "{\"\":\"\"}",
        "{\"a\":\"b\",\"c\":\"d\"}",
        "{ \"a\" : \"b c\" , \"c\" : { \"d\" : \"~\" } }",
        "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{}}}}}}",
        "{\"a\":\"\\u0041\\/\\n\"}",
        "{\"a\":\"\\\"\"}",
        "{\"\\u0061\":\"x\"}",
        "{\"a\":\"\x7f\"}",
        "{\"a\":\"\xc3\xa4\"}",
        "{\"a\":[\"b\"],\"c\":true,\"d\":1}",
        "{\"0123456789012345678901234567890123456789012345678901234567890123456789\":\"long\"}",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"a\":\"b\",\"\\u0061\":\"c\"}",
        "{\"a\":{\"b\":\"c\",\"b\":\"d\"}}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\x1f\"}",
        "{\"a\":\"b\",}",
        "{,\"a\":\"b\"}",
        "{\"a\" \"b\"}",
        "{\"a\":\"b\" \"c\":\"d\"}",
        "{\"a\":\"b\"}}",
        "{\"a\":\"b\"}{",
        "{\"a\":\"b\"]",
        "{\"a\":}",
        "{\"a\"}",
        "{a:\"b\"}",
        "\v{}",
        "\"a\"",
        "{\"a\":\"b",
        "{\"a\":{\"b\":\"c\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char why[JSON_WHY_SIZE];
        AUTO_TYPE(json_t) ours = json_read_object(bytes_text(texts[i]), why);
        AUTO_TYPE(json_t) theirs = json_loads(texts[i], JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(theirs) ? !json_equal(ours, theirs) : ours != NULL)
            fail_msg("%s is read in another way", texts[i]);
    }
}

static void every_truncation_of_a_plain_object_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":\"b\", \"c\": {\"d\":\"e\"}}";
    char why[JSON_WHY_SIZE];
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        /* a block of exactly this size lets ASan see one byte too many */
        char *exact = malloc(len + 1);
        memcpy(exact, whole, len);
        assert_null(json_read_object(bytes_of(exact, len), why));
        free(exact);
    }
    assert_null(json_read_object(bytes_of(whole, sizeof whole), why)); /* a NUL behind it */
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
        cmocka_unit_test(texts_are_read_as_jansson_reads_them),
        cmocka_unit_test(every_truncation_of_a_plain_object_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(compact_output_is_exact),
        cmocka_unit_test(indented_output_is_exact),
        cmocka_unit_test(every_ascii_character_survives_escaping),
        cmocka_unit_test(short_escapes_are_used),
        cmocka_unit_test(a_full_buffer_is_the_writers_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
