#include "test-client/answer.h"
#include "tests/unit.h"

#include <string.h>

/* The links of a value as "target(rel)" each, joined by blanks. */
static void expect_links(const char *value, const char *links)
{
    AUTO_BUF(found, 4096);
    struct bytes rest = bytes_text(value);
    for (struct tc_link link; tc_link_next(&rest, &link);)
        buf_printf(&found, "%s%.*s(%.*s)", found.len > 0 ? " " : "", (int)link.target.len,
                   (const char *)link.target.data, (int)link.rel.len, (const char *)link.rel.data);
    if (strcmp(buf_str(&found), links) != 0)
        fail_msg("<%s>: \"%s\", not \"%s\"", value, buf_str(&found), links);
}

static void links_have_targets_and_relations(void **state)
{
    (void)state;
    expect_links("<https://ca/1>;rel=\"up\"", "https://ca/1(up)");
    expect_links("<https://ca/1>; rel=up", "https://ca/1(up)");
    expect_links("<https://ca/1> ; title=\"a\" ; rel = \"up\"", "https://ca/1(up)");
    expect_links("<https://ca/1>; REL=up", "https://ca/1(up)");
    expect_links("<https://ca/1>", "https://ca/1()");
    expect_links("<>;rel=up", "(up)");
}

static void one_header_may_hold_several_links(void **state)
{
    (void)state;
    expect_links("<a>;rel=up, <b>;rel=index", "a(up) b(index)");
    expect_links(",, <a>;rel=up,\t,<b>,", "a(up) b()");
    expect_links("<a,b>;title=\"c,<d>;rel=x\";rel=up", "a,b(up)");
}

static void the_first_rel_counts(void **state)
{
    (void)state;
    expect_links("<a>;rel=up;rel=down", "a(up)");
}

static void quotes_may_hold_escapes(void **state)
{
    (void)state;
    expect_links("<a>;title=\"\\\"<\\\\\";rel=\"up\"", "a(up)");
}

static void what_is_no_link_ends_the_list(void **state)
{
    (void)state;
    expect_links("", "");
    expect_links("a", "");
    expect_links("<a", "");
    expect_links("<a>;rel=\"up", "");
    expect_links("<a>;rel=\"up\\", "");
    expect_links("<a>;rel=up, b", "a(up)");
    expect_links("<a> b", "");
}

static void every_truncation_is_read_within_its_bytes(void **state)
{
    (void)state;
    static const char whole[] = "<https://ca/1>; title=\"a\\\"b\"; rel=\"alternate up\", <b>;rel=index";
    for (size_t len = 0; len < sizeof whole; len++) {
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, whole, len);
        struct bytes rest = bytes_of(exact, len);
        for (struct tc_link link; tc_link_next(&rest, &link);)
            assert_true(link.rel.len <= len && link.target.len <= len);
        free(exact);
    }
}

static void a_link_may_have_several_relations(void **state)
{
    (void)state;
    struct tc_link link = { .rel = bytes_text(" start Alternate  up") };
    assert_true(tc_link_is(&link, "start"));
    assert_true(tc_link_is(&link, "alternate"));
    assert_true(tc_link_is(&link, "up"));
    assert_false(tc_link_is(&link, "alter"));
    assert_false(tc_link_is(&link, ""));
    assert_false(tc_link_is(&(struct tc_link) { 0 }, "up"));
}

static void links_are_counted_over_all_headers(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(4096);
    __attribute__((cleanup(tc_answer_free))) struct tc_answer answer = TC_ANSWER_INIT;
    tc_answer_take_header(&answer, bytes_text("Link: <a>;rel=alternate, <x>;rel=index"));
    tc_answer_take_header(&answer, bytes_text("Link: <b>;rel=\"alternate\""));
    assert_string_equal(tc_answer_link(&answer, arena, "alternate", 0), "a");
    assert_string_equal(tc_answer_link(&answer, arena, "alternate", 1), "b");
    assert_string_equal(tc_answer_link(&answer, arena, "index", 0), "x");
    assert_null(tc_answer_link(&answer, arena, "alternate", 2));
    assert_null(tc_answer_link(&answer, arena, "up", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_have_targets_and_relations),
        cmocka_unit_test(one_header_may_hold_several_links),
        cmocka_unit_test(the_first_rel_counts),
        cmocka_unit_test(quotes_may_hold_escapes),
        cmocka_unit_test(what_is_no_link_ends_the_list),
        cmocka_unit_test(every_truncation_is_read_within_its_bytes),
        cmocka_unit_test(a_link_may_have_several_relations),
        cmocka_unit_test(links_are_counted_over_all_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
