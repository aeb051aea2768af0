#include "base/encode.h"
#include "tests/unit.h"

enum { ARENA_BYTES = 1 << 16 };

static const struct {
    const char *plain, *b64url, *hex, *base32, *base32hex;
} known[] = {
    /* RFC 4648 §10, without padding */
    { "", "", "", "", "" },
    { "f", "Zg", "66", "my", "co" },
    { "fo", "Zm8", "666f", "mzxq", "cpng" },
    { "foo", "Zm9v", "666f6f", "mzxw6", "cpnmu" },
    { "foob", "Zm9vYg", "666f6f62", "mzxw6yq", "cpnmuog" },
    { "fooba", "Zm9vYmE", "666f6f6261", "mzxw6ytb", "cpnmuoj1" },
    { "foobar", "Zm9vYmFy", "666f6f626172", "mzxw6ytboi", "cpnmuoj1e8" },
};

/* [8555-6.1-4] */
static void known_texts_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        AUTO_BUF(b64url, 100);
        AUTO_BUF(hex, 100);
        AUTO_BUF(base32, 100);
        AUTO_BUF(base32hex, 100);
        buf_b64url(&b64url, bytes_text(known[i].plain));
        buf_hex(&hex, bytes_text(known[i].plain));
        buf_base32(&base32, bytes_text(known[i].plain));
        buf_base32hex(&base32hex, bytes_text(known[i].plain));
        assert_string_equal(buf_str(&b64url), known[i].b64url);
        assert_int_equal(b64url.len, B64URL_LEN(strlen(known[i].plain)));
        assert_string_equal(buf_str(&hex), known[i].hex);
        assert_string_equal(buf_str(&base32), known[i].base32);
        assert_string_equal(buf_str(&base32hex), known[i].base32hex);
    }
}

static void known_texts_are_read(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        struct bytes out;
        assert_true(b64url_decode(arena, bytes_text(known[i].b64url), &out));
        assert_true(bytes_equal_text(out, known[i].plain));
        assert_true(hex_decode(arena, bytes_text(known[i].hex), &out));
        assert_true(bytes_equal_text(out, known[i].plain));
    }
}

static void all_bytes_survive_the_round_trip(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    for (size_t len = 0; len <= sizeof all; len++) {
        arena_reset(arena);
        struct bytes out;
        assert_true(b64url_decode(arena, bytes_text(arena_b64url(arena, bytes_of(all, len))), &out));
        assert_true(bytes_equal(out, bytes_of(all, len)));
        assert_true(hex_decode(arena, bytes_text(arena_hex(arena, bytes_of(all, len))), &out));
        assert_true(bytes_equal(out, bytes_of(all, len)));
    }
}

/* [8555-6.1-5] */
static void foreign_base64url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",    "AAAAA",     "Zg==",  "Zm8=", "Zm9v=", "Z",
        "+/+/", "ab d",      "ab\nd", "a.bc", "Zh", /* left-over bits that are not zero: a second text for "f" */
        "Zm9",  "\xc3\xa4zz"
    };
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct bytes out;
        if (b64url_decode(arena, bytes_text(bad[i]), &out))
            fail_msg("\"%s\" was read", bad[i]);
    }
    struct bytes out;
    assert_false(b64url_decode(arena, bytes_of("AA\0A", 4), &out));
}

static void foreign_hex_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "6", "666", "6G", "6F", " 66", "0x66" };
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct bytes out;
        assert_false(hex_decode(arena, bytes_text(bad[i]), &out));
    }
}

static void no_memory_is_no_success(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(16);
    struct bytes out;
    assert_false(b64url_decode(arena, bytes_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &out));
    assert_null(arena_hex(arena, bytes_text("0123456789")));
    AUTO_BUF(full, 3);
    buf_b64url(&full, bytes_text("foo"));
    assert_true(full.failed);
    assert_int_equal(full.len, 0);
}

static void order_is_kept_by_base32hex(void **state)
{
    (void)state;
    AUTO_BUF(before, 32);
    for (unsigned i = 0; i < 65536; i += 97) {
        uint8_t raw[] = { (uint8_t)(i >> 8), (uint8_t)i };
        AUTO_BUF(now, 32);
        buf_base32hex(&now, bytes_of(raw, sizeof raw));
        assert_true(i == 0 || strcmp(buf_str(&before), buf_str(&now)) < 0);
        buf_clear(&before);
        buf_text(&before, buf_str(&now));
    }
}

static void padding_is_trimmed_at_most_twice(void **state)
{
    (void)state;
    assert_int_equal(b64url_trim_padding(bytes_text("Zg==")).len, 2);
    assert_int_equal(b64url_trim_padding(bytes_text("Zm8=")).len, 3);
    assert_int_equal(b64url_trim_padding(bytes_text("Zm9v")).len, 4);
    assert_int_equal(b64url_trim_padding(bytes_text("===")).len, 1);
    assert_int_equal(b64url_trim_padding(bytes_text("=")).len, 0);
    assert_int_equal(b64url_trim_padding(bytes_text("")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_are_written),          cmocka_unit_test(known_texts_are_read),
        cmocka_unit_test(all_bytes_survive_the_round_trip), cmocka_unit_test(foreign_base64url_is_refused),
        cmocka_unit_test(foreign_hex_is_refused),           cmocka_unit_test(no_memory_is_no_success),
        cmocka_unit_test(order_is_kept_by_base32hex),       cmocka_unit_test(padding_is_trimmed_at_most_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
