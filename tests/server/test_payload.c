#include "server/web/payload.h"

#include "server/caraway.h"

#include "tests/unit.h"

static struct request rq;
static struct settings settings;
static struct caraway caraway = { .settings = &settings };

static int open_request(void **state)
{
    (void)state;
    settings.lenient_base64 = false;
    rq = (struct request) { .caraway = &caraway, .arena = arena_create(1 << 16) };
    return rq.arena == NULL;
}

static int drop_request(void **state)
{
    (void)state;
    json_decref(rq.payload);
    arena_drop(rq.arena);
    return 0;
}

static void set_payload(const char *json)
{
    char why[JSON_WHY_SIZE];
    json_decref(rq.payload);
    rq.problem = (struct acme_problem) { 0 };
    rq.payload = json_read_object(bytes_text(json), why);
    assert_non_null(rq.payload);
}

static void assert_malformed(const char *word)
{
    assert_int_equal(rq.problem.type, PROBLEM_MALFORMED);
    assert_int_equal(rq.problem.status, 400);
    if (strstr(rq.problem.detail, word) == NULL)
        fail_msg("\"%s\" does not name %s", rq.problem.detail, word);
}

static void an_absent_member_changes_nothing(void **state)
{
    (void)state;
    const char *text = "before";
    bool flag = true;
    struct texts texts = { NULL, 7 };
    struct bytes bytes = bytes_text("before");
    int64_t ms = 7;
    set_payload("{\"other\":1}");
    assert_true(payload_text(&rq, "m", &text) && payload_flag(&rq, "m", &flag) && payload_texts(&rq, "m", 1, &texts) &&
                payload_b64url(&rq, "m", 1, &bytes) && payload_time(&rq, "m", &ms));
    assert_string_equal(text, "before");
    assert_true(flag);
    assert_int_equal(texts.count, 7);
    assert_int_equal(bytes.len, 6);
    assert_int_equal(ms, 7);
}

static void values_are_read(void **state)
{
    (void)state;
    const char *text = NULL;
    bool flag = true;
    struct texts texts;
    struct bytes bytes;
    int64_t ms = 0;
    set_payload("{\"text\":\"a\\u00e9\",\"flag\":false,\"texts\":[\"x\",\"\"],\"bytes\":\"AP8\","
                "\"time\":\"1970-01-01T00:00:01.5Z\"}");
    assert_true(payload_text(&rq, "text", &text));
    assert_string_equal(text, "a\xc3\xa9");
    assert_true(payload_flag(&rq, "flag", &flag));
    assert_false(flag);
    assert_true(payload_texts(&rq, "texts", 2, &texts));
    assert_int_equal(texts.count, 2);
    assert_string_equal(texts.items[0], "x");
    assert_string_equal(texts.items[1], "");
    assert_true(payload_b64url(&rq, "bytes", 2, &bytes));
    assert_true(bytes_equal(bytes, bytes_of("\0\xff", 2)));
    assert_true(payload_time(&rq, "time", &ms));
    assert_int_equal(ms, 1500);
}

static void a_wrong_kind_is_named(void **state)
{
    (void)state;
    static const char *const values[] = { "null", "7", "{}", "[7]", "[\"a\",null]" };
    const char *text = NULL;
    bool flag = false;
    struct texts texts = { 0 };
    struct bytes bytes = { 0 };
    int64_t ms = 0;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        set_payload(arena_printf(rq.arena, "{\"m\":%s}", values[i]));
        assert_false(payload_text(&rq, "m", &text));
        assert_malformed("\"m\"");
        assert_false(payload_flag(&rq, "m", &flag));
        assert_malformed("true or false");
        assert_false(payload_texts(&rq, "m", 9, &texts));
        assert_malformed("array of strings");
        assert_false(payload_b64url(&rq, "m", 9, &bytes));
        assert_malformed("a string");
        assert_false(payload_time(&rq, "m", &ms));
        assert_malformed("a string");
    }
    set_payload("{\"m\":\"true\"}");
    assert_false(payload_flag(&rq, "m", &flag));
    set_payload("{\"m\":true}");
    assert_false(payload_text(&rq, "m", &text));
    assert_null(text);
    assert_int_equal(texts.count, 0);
    assert_int_equal(ms, 0);
}

static void lists_and_bytes_have_a_limit(void **state)
{
    (void)state;
    struct texts texts = { 0 };
    struct bytes bytes = { 0 };
    set_payload("{\"m\":[\"a\",\"b\",\"c\"]}");
    assert_true(payload_texts(&rq, "m", 3, &texts));
    texts.count = 0;
    assert_false(payload_texts(&rq, "m", 2, &texts));
    assert_malformed("3 entries; at most 2");
    assert_int_equal(texts.count, 0);
    set_payload("{\"m\":\"AAAAAA\"}");
    assert_true(payload_b64url(&rq, "m", 4, &bytes));
    assert_int_equal(bytes.len, 4);
    assert_false(payload_b64url(&rq, "m", 3, &bytes));
    assert_malformed("3 bytes");
    set_payload("{\"m\":[]}");
    assert_true(payload_texts(&rq, "m", 0, &texts));
    assert_int_equal(texts.count, 0);
}

static void what_is_no_base64url_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "A", "A+8", "A/8", "A 8", "\\u00e9", "AB==C", "A=", "AAA=", "AA==" };
    struct bytes bytes = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        set_payload(arena_printf(rq.arena, "{\"m\":\"%s\"}", texts[i]));
        if (payload_b64url(&rq, "m", 99, &bytes))
            fail_msg("%s was taken", texts[i]);
        assert_malformed("base64url");
    }
}

static void padding_is_forgiven_only_when_a_setting_says_so(void **state)
{
    (void)state;
    struct bytes bytes = { 0 };
    settings.lenient_base64 = true;
    set_payload("{\"m\":\"AAA=\"}");
    assert_true(payload_b64url(&rq, "m", 9, &bytes));
    assert_int_equal(bytes.len, 2);
}

static void what_is_no_time_is_refused_and_year_one_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "2027-01-31", "2027-02-30T00:00:00Z", "now", "2027-01-31T12:00:00" };
    int64_t ms = 7;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        set_payload(arena_printf(rq.arena, "{\"m\":\"%s\"}", texts[i]));
        if (payload_time(&rq, "m", &ms))
            fail_msg("%s was taken", texts[i]);
        assert_malformed("RFC 3339");
    }
    set_payload("{\"m\":\"0001-01-01T00:00:00Z\"}");
    assert_true(payload_time(&rq, "m", &ms));
    assert_int_equal(ms, 7);
    set_payload("{\"m\":\"0002-01-01T00:00:00Z\"}");
    assert_true(payload_time(&rq, "m", &ms));
    assert_true(ms < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_absent_member_changes_nothing, open_request, drop_request),
        cmocka_unit_test_setup_teardown(values_are_read, open_request, drop_request),
        cmocka_unit_test_setup_teardown(a_wrong_kind_is_named, open_request, drop_request),
        cmocka_unit_test_setup_teardown(lists_and_bytes_have_a_limit, open_request, drop_request),
        cmocka_unit_test_setup_teardown(what_is_no_base64url_is_refused, open_request, drop_request),
        cmocka_unit_test_setup_teardown(padding_is_forgiven_only_when_a_setting_says_so, open_request, drop_request),
        cmocka_unit_test_setup_teardown(what_is_no_time_is_refused_and_year_one_is_none, open_request, drop_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
