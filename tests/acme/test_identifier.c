#include "acme/identifier.h"
#include "base/buf.h"
#include "tests/unit.h"

#include <stdio.h>

enum { ARENA_BYTES = 1 << 16 };

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define N253                                                                                                           \
    L63 "." L63 "." L63 "."                                                                                            \
        "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static const struct {
    enum acme_identifier_type type;
    const char *given, *canonical;
} good[] = {
    { IDENTIFIER_DNS, "www.example.test", "www.example.test" },
    { IDENTIFIER_DNS, "WWW.Example.TEST", "www.example.test" },
    { IDENTIFIER_DNS, "localhost", "localhost" },
    { IDENTIFIER_DNS, "a", "a" },
    { IDENTIFIER_DNS, "*.example.test", "*.example.test" },
    { IDENTIFIER_DNS, "*.localhost", "*.localhost" },
    { IDENTIFIER_DNS, "1.2.3.4.example", "1.2.3.4.example" },
    { IDENTIFIER_DNS, "3com", "3com" },
    { IDENTIFIER_DNS, "a--b.test", "a--b.test" },
    { IDENTIFIER_DNS, "x-n--b.test", "x-n--b.test" },
    { IDENTIFIER_DNS, "XN--mnchen-3ya.test", "xn--mnchen-3ya.test" },
    { IDENTIFIER_DNS, "*.xn--fiqs8s", "*.xn--fiqs8s" },
    { IDENTIFIER_DNS, L63 ".test", L63 ".test" },
    { IDENTIFIER_DNS, N253, N253 },
    { IDENTIFIER_IP, "192.0.2.1", "192.0.2.1" },
    { IDENTIFIER_IP, "0.0.0.0", "0.0.0.0" },
    { IDENTIFIER_IP, "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
    { IDENTIFIER_IP, "2001:0db8::0001", "2001:db8::1" },
    { IDENTIFIER_IP, "::", "::" },
    { IDENTIFIER_IP, "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
    { IDENTIFIER_IP, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6" },
};

/* The last column is a part of the phrase that says what to change. */
static const struct {
    enum acme_identifier_type type;
    const char *given, *why;
} bad[] = {
    { IDENTIFIER_DNS, "", "the name is empty" },
    { IDENTIFIER_DNS, ".", "label 1 is empty" },
    { IDENTIFIER_DNS, ".example.test", "label 1 is empty" },
    { IDENTIFIER_DNS, "www..test", "label 2 is empty" },
    { IDENTIFIER_DNS, "example.test.", "leave the dot out" },
    { IDENTIFIER_DNS, "a_b.test", "label 1 has an underscore" },
    { IDENTIFIER_DNS, "www._tcp.test", "label 2 has an underscore" },
    { IDENTIFIER_DNS, "-a.test", "label 1 begins or ends with a hyphen" },
    { IDENTIFIER_DNS, "www.a-", "label 2 begins or ends with a hyphen" },
    { IDENTIFIER_DNS, "-", "begins or ends with a hyphen" },
    { IDENTIFIER_DNS, "a b.test", "space or control" },
    { IDENTIFIER_DNS, "a\tb.test", "space or control" },
    { IDENTIFIER_DNS, "a/b.test", "the character \"/\"" },
    { IDENTIFIER_DNS, "a.test:443", "the character \":\"" },
    { IDENTIFIER_DNS, "m\xc3\xbcnchen.test", "\"xn--\" form" },
    { IDENTIFIER_DNS, "*", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "*.", "leave the dot out" },
    { IDENTIFIER_DNS, "**.test", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "*a.test", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "a*.test", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "*.*.test", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "www.*.test", "\"*\" may stand only alone" },
    { IDENTIFIER_DNS, "*..test", "label 2 is empty" },
    { IDENTIFIER_DNS, "*._a.test", "label 2 has an underscore" },
    { IDENTIFIER_DNS, "192.0.2.1", "type \"ip\"" },
    { IDENTIFIER_DNS, "2001:db8::1", "type \"ip\"" },
    { IDENTIFIER_DNS, "192.0.2", "all digits" },
    { IDENTIFIER_DNS, "*.192", "all digits" },
    { IDENTIFIER_DNS, "www.example.1", "all digits" },
    { IDENTIFIER_DNS, "ab--c.test", "third and fourth place" },
    { IDENTIFIER_DNS, "xm--mnchen-3ya.test", "third and fourth place" },
    { IDENTIFIER_DNS, "xn--.test", "begins or ends with a hyphen" },
    { IDENTIFIER_DNS, "www.xn--z.test", "not Punycode" },
    { IDENTIFIER_DNS, "xn--mnchen-3y.test", "not Punycode" },
    { IDENTIFIER_DNS, "a" L63 ".test", "64 bytes long; at most 63" },
    { IDENTIFIER_DNS, N253 "z", "254 bytes long; at most 253" },
    { IDENTIFIER_IP, "", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "example.test", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "192.0.2", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "192.0.2.256", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "192.0.2.1 ", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "192.0.2.01x", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "[::1]", "without brackets" },
    { IDENTIFIER_IP, "::1/128", "without brackets, prefix" },
    { IDENTIFIER_IP, "fe80::1%eth0", "or zone" },
    { IDENTIFIER_IP, "1:2:3:4:5:6:7", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "1::2::3", "not an IPv4 or IPv6" },
    { IDENTIFIER_IP, "2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000", "not an IPv4 or IPv6" },
};

/* [8555-7.1.4-6] [8738-3-2] [8738-3-3] */
static void good_values_become_canonical(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct acme_identifier out;
        char why[IDENTIFIER_WHY_SIZE] = "";
        if (!identifier_make(arena, good[i].type, bytes_text(good[i].given), &out, why))
            fail_msg("%s: %s", good[i].given, why);
        assert_int_equal(out.type, good[i].type);
        assert_string_equal(out.value, good[i].canonical);
    }
}

/* [8555-7.1.4-6] [8555-7.1.4-7] */
static void bad_values_are_refused_with_their_reason(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct acme_identifier out;
        char why[IDENTIFIER_WHY_SIZE] = "";
        if (identifier_make(arena, bad[i].type, bytes_text(bad[i].given), &out, why))
            fail_msg("%s was accepted", bad[i].given);
        if (strstr(why, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].given, why);
    }
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct acme_identifier out;
    char why[IDENTIFIER_WHY_SIZE];
    assert_false(identifier_make(arena, IDENTIFIER_DNS, bytes_of("a.test\0.evil", 12), &out, why));
    assert_non_null(strstr(why, "zero byte"));
    assert_false(identifier_make(arena, IDENTIFIER_IP, bytes_of("::1\0", 4), &out, why));
}

static void the_byte_behind_the_text_is_never_read(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    static const char whole[] = "*.xn--mnchen-3ya.test";
    for (size_t len = 0; len < sizeof whole; len++) {
        uint8_t *exact = malloc(len + (len == 0));
        memcpy(exact, whole, len);
        struct acme_identifier out;
        char why[IDENTIFIER_WHY_SIZE];
        if (identifier_make(arena, IDENTIFIER_DNS, bytes_of(exact, len), &out, why))
            assert_int_equal(strlen(out.value), len);
        free(exact);
    }
}

static void canonical_values_stay_as_they_are(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct acme_identifier out;
        char why[IDENTIFIER_WHY_SIZE];
        assert_true(identifier_make(arena, good[i].type, bytes_text(good[i].canonical), &out, why));
        assert_string_equal(out.value, good[i].canonical);
    }
}

static void no_memory_is_a_refusal(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1);
    struct acme_identifier out;
    char why[IDENTIFIER_WHY_SIZE];
    assert_false(identifier_make(arena, IDENTIFIER_DNS, bytes_text("www.example.test"), &out, why));
    assert_non_null(strstr(why, "out of memory"));
    assert_false(identifier_make(arena, IDENTIFIER_IP, bytes_text("192.0.2.1"), &out, why));
    assert_non_null(strstr(why, "out of memory"));
}

static void wildcards_have_a_base(void **state)
{
    (void)state;
    const struct acme_identifier wildcard = { IDENTIFIER_DNS, "*.a.test" };
    const struct acme_identifier plain = { IDENTIFIER_DNS, "a.test" };
    assert_true(identifier_is_wildcard(&wildcard));
    assert_false(identifier_is_wildcard(&plain));
    assert_string_equal(identifier_base(&wildcard), "a.test");
    assert_string_equal(identifier_base(&plain), "a.test");
}

/* [9444-7.2-1] */
static void below_is_by_whole_labels(void **state)
{
    (void)state;
    static const struct {
        const char *name, *domain;
        bool below;
    } rows[] = {
        { "a.tree.test", "tree.test", true },      { "a.b.tree.test", "tree.test", true },
        { "tree.test", "tree.test", false },       { "xtree.test", "tree.test", false },
        { "tree.test", "a.tree.test", false },     { "a.tree.test", "", false },
        { "tree.test.other", "tree.test", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(identifier_lies_below(rows[i].name, rows[i].domain), rows[i].below);
}

static void lists_are_sorted_without_doubles(void **state)
{
    (void)state;
    struct acme_identifier list[] = {
        { IDENTIFIER_IP, "192.0.2.1" },  { IDENTIFIER_DNS, "b.test" }, { IDENTIFIER_DNS, "a.test" },
        { IDENTIFIER_DNS, "*.a.test" },  { IDENTIFIER_DNS, "b.test" }, { IDENTIFIER_IP, "192.0.2.1" },
        { IDENTIFIER_DNS, "192.0.2.1" },
    };
    static const char *const sorted[] = { "*.a.test", "192.0.2.1", "a.test", "b.test", "192.0.2.1" };
    assert_int_equal(identifier_sort_unique(list, ARRAY_SIZE(list)), ARRAY_SIZE(sorted));
    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
        assert_string_equal(list[i].value, sorted[i]);
    assert_int_equal(list[4].type, IDENTIFIER_IP);
    assert_int_equal(identifier_sort_unique(list, 0), 0);
    assert_int_equal(identifier_sort_unique(NULL, 0), 0);
}

static void type_texts_are_read_back(void **state)
{
    (void)state;
    for (unsigned type = 0; type < IDENTIFIER_TYPES; type++) {
        enum acme_identifier_type found;
        assert_true(identifier_type_from_text(identifier_type_text(type), &found));
        assert_int_equal(found, type);
    }
    enum acme_identifier_type found;
    assert_false(identifier_type_from_text("DNS", &found));
    assert_false(identifier_type_from_text("email", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_become_canonical),
        cmocka_unit_test(bad_values_are_refused_with_their_reason),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(the_byte_behind_the_text_is_never_read),
        cmocka_unit_test(canonical_values_stay_as_they_are),
        cmocka_unit_test(no_memory_is_a_refusal),
        cmocka_unit_test(wildcards_have_a_base),
        cmocka_unit_test(below_is_by_whole_labels),
        cmocka_unit_test(lists_are_sorted_without_doubles),
        cmocka_unit_test(type_texts_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
