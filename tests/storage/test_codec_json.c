#include "tests/storage/samples.h"

#include "storage/fields.h"

static bool read_json(struct arena *arena, const struct record_type *type, const char *text, void *out,
                      char why[static JSON_WHY_SIZE])
{
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(text), why);
    assert_non_null(object);
    return record_from_json(arena, type, object, out, why);
}

static void assert_same(const struct record_type *type, const void *a, const void *b)
{
    AUTO_BUF(first, 1 << 20);
    AUTO_BUF(second, 1 << 20);
    record_encode(&first, type, a);
    record_encode(&second, type, b);
    assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
}

static void full_records_come_back(void **state)
{
    struct arena *arena = *state;
    char why[JSON_WHY_SIZE];
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        void *back = arena_alloc(arena, type->size);
        assert_true(read_json(arena, type, sample_json(arena, type, sample_of(type)), back, why));
        assert_same(type, back, sample_of(type));
    }
}

static void empty_records_come_back(void **state)
{
    struct arena *arena = *state;
    char why[JSON_WHY_SIZE];
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        void *empty = arena_alloc(arena, type->size);
        void *back = arena_alloc(arena, type->size);
        memset(back, 0xa5, type->size);
        assert_true(read_json(arena, type, sample_json(arena, type, empty), back, why));
        assert_memory_equal(back, empty, type->size);
    }
}

static void is_written_as_documented(void **state)
{
    struct arena *arena = *state;
    const struct record_type *type = &record_type_challenge;
    assert_string_equal(sample_json(arena, type, sample_of(type)),
                        "{\"type\":\"http-01\",\"state\":\"invalid\",\"token\":\"token1\","
                        "\"validated\":\"2023-11-14T22:13:20.123Z\","
                        "\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"no A record\"},"
                        "\"trace\":[{\"at\":1},null],\"account_url\":\"https://ca/account/"
                        "1\",\"failures\":[{\"detail\":\"no A record\"},[7]]}");
    struct authorization authz = { .identifier = { IDENTIFIER_IP, "::1" }, .wildcard = true };
    assert_string_equal(sample_json(arena, &record_type_authorization, &authz),
                        "{\"state\":\"pending\",\"identifier\":{\"type\":\"ip\",\"value\":\"::1\"},\"wildcard\":true}");
    static const uint8_t der[] = { 0xfb, 0xff };
    struct certificate certificate = { .der = { der, 2 }, .revoked_reason = 5 };
    assert_string_equal(sample_json(arena, &record_type_certificate, &certificate),
                        "{\"state\":\"valid\",\"der\":\"-_8\",\"revoked_reason\":5}");
}

static void the_extremes_of_time_come_back(void **state)
{
    struct arena *arena = *state;
    static const int64_t times[] = { 1, 999, 1000, TIME_MAX_MS };
    char why[JSON_WHY_SIZE];
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        struct account account = { .created_ms = times[i] }, back;
        assert_true(
            read_json(arena, &record_type_account, sample_json(arena, &record_type_account, &account), &back, why));
        assert_true(back.created_ms == times[i]);
    }
}

static void refusals_name_the_member(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const struct record_type *type;
        const char *text, *names;
    } rows[] = {
        { &record_type_account, "{\"id\":1}", "account: \"id\" must be a text" },
        { &record_type_account, "{\"id\":null}", "account: \"id\" must be a text" },
        { &record_type_account, "{\"colour\":\"red\"}", "account has no member \"colour\"" },
        { &record_type_account, "{\"created_ms\":\"2026-01-01T00:00:00Z\"}", "no member \"created_ms\"" },
        { &record_type_account, "{\"state\":\"pending\"}", "\"state\"" },
        { &record_type_account, "{\"state\":0}", "\"state\"" },
        { &record_type_account, "{\"contacts\":\"x\"}", "\"contacts\" must be an array of texts" },
        { &record_type_account, "{\"contacts\":[\"x\",2]}", "\"contacts\"" },
        { &record_type_account, "{\"created\":5}", "\"created\"" },
        { &record_type_account, "{\"created\":\"yesterday\"}", "\"created\"" },
        { &record_type_account, "{\"created\":\"1969-12-31T23:59:59Z\"}", "\"created\"" },
        { &record_type_authorization, "{\"wildcard\":1}", "\"wildcard\" must be true or false" },
        { &record_type_authorization, "{\"identifier\":\"x\"}", "\"identifier\"" },
        { &record_type_authorization, "{\"identifier\":{\"type\":\"dns\"}}", "\"identifier\"" },
        { &record_type_authorization, "{\"identifier\":{\"type\":\"urn\",\"value\":\"x\"}}", "\"identifier\"" },
        { &record_type_authorization, "{\"identifier\":{\"type\":\"dns\",\"value\":\"x\",\"more\":1}}",
          "\"identifier\"" },
        { &record_type_authorization, "{\"challenges\":[{\"state\":\"valid\"},{\"state\":\"open\"}]}",
          "challenge: \"state\"" },
        { &record_type_authorization, "{\"challenges\":[7]}", "challenge: a JSON object is expected" },
        { &record_type_authorization, "{\"challenges\":{}}", "\"challenges\"" },
        { &record_type_order, "{\"identifiers\":[1]}", "\"identifiers\"" },
        { &record_type_certificate, "{\"der\":\"A===\"}", "\"der\"" },
        { &record_type_certificate, "{\"der\":7}", "\"der\"" },
        { &record_type_certificate, "{\"revoked_reason\":1.5}", "\"revoked_reason\" must be an integer" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[JSON_WHY_SIZE] = "";
        void *out = arena_alloc(arena, rows[i].type->size);
        memset(out, 0xa5, rows[i].type->size);
        if (read_json(arena, rows[i].type, rows[i].text, out, why))
            fail_msg("accepted: %s", rows[i].text);
        if (strstr(why, rows[i].names) == NULL)
            fail_msg("%s: \"%s\" is not in \"%s\"", rows[i].text, rows[i].names, why);
        assert_int_equal(*(unsigned char *)out, 0xa5);
    }
}

static void stored_json_has_a_limit(void **state)
{
    struct arena *arena = *state;
    AUTO_BUF(text, 4 << 20);
    buf_text(&text, "{\"error\":\"");
    for (int i = 0; i < 1 << 20; i++)
        buf_char(&text, 'x');
    buf_text(&text, "\"}");
    char why[JSON_WHY_SIZE];
    struct order order;
    assert_false(read_json(arena, &record_type_order, buf_str(&text), &order, why));
    assert_non_null(strstr(why, "\"error\""));
}

static int make_arena(void **state)
{
    *state = arena_create(16 << 20);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    arena_drop(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(full_records_come_back),         CASE(empty_records_come_back),  CASE(is_written_as_documented),
        CASE(the_extremes_of_time_come_back), CASE(refusals_name_the_member), CASE(stored_json_has_a_limit),
    };
    return cmocka_run_group_tests_name("codec_json", tests, NULL, NULL);
}
