#include "test-client/answer.h"
#include "tests/unit.h"

#include <string.h>

static struct tc_answer answer_of(const char *const *lines)
{
    struct tc_answer answer = TC_ANSWER_INIT;
    for (; *lines != NULL; lines++)
        tc_answer_take_header(&answer, bytes_text(*lines));
    return answer;
}

#define AUTO_ANSWER(name, ...)                                                                                         \
    __attribute__((cleanup(tc_answer_free))) struct tc_answer name =                                                   \
        answer_of((const char *const[]) { __VA_ARGS__, NULL })

static void headers_are_found_whatever_their_case(void **state)
{
    (void)state;
    AUTO_ANSWER(answer, "HTTP/1.1 200 OK\r\n", "content-TYPE:text/plain\r\n", "Location: \t https://a/b\r\n", "\r\n");
    assert_string_equal(tc_answer_header(&answer, "Content-Type", 0), "text/plain");
    assert_string_equal(tc_answer_header(&answer, "location", 0), "https://a/b");
    assert_null(tc_answer_header(&answer, "Loc", 0));
    assert_null(tc_answer_header(&answer, "Location", 1));
}

static void the_same_header_twice_has_two_values(void **state)
{
    (void)state;
    AUTO_ANSWER(answer, "Link: one", "X: y", "Link: two");
    assert_string_equal(tc_answer_header(&answer, "Link", 0), "one");
    assert_string_equal(tc_answer_header(&answer, "Link", 1), "two");
}

static void a_second_status_line_forgets_what_was_before(void **state)
{
    (void)state;
    AUTO_ANSWER(answer, "HTTP/1.1 100 Continue", "Replay-Nonce: early", "HTTP/1.1 200 OK", "X: y");
    assert_null(tc_answer_header(&answer, "Replay-Nonce", 0));
    assert_string_equal(tc_answer_header(&answer, "X", 0), "y");
}

static void lines_that_are_no_headers_are_ignored(void **state)
{
    (void)state;
    AUTO_ANSWER(answer, "no colon here", "");
    tc_answer_take_header(&answer, bytes_of("A: b\0c\r\n", 8));
    assert_int_equal(answer.headers.len, 0);
}

static void too_many_headers_fail_the_buffer(void **state)
{
    (void)state;
    __attribute__((cleanup(tc_answer_free))) struct tc_answer answer = TC_ANSWER_INIT;
    for (int i = 0; i < TC_HEADERS_MAX / 8 + 1; i++)
        tc_answer_take_header(&answer, bytes_text("abc: de"));
    assert_true(answer.headers.failed);
    assert_true(answer.headers.len <= TC_HEADERS_MAX);
}

static void a_nonce_is_base64url_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *line, *nonce;
    } cases[] = {
        { "Replay-Nonce: aZ09-_", "aZ09-_" }, { "Replay-Nonce:", NULL },       { "Replay-Nonce: a b", NULL },
        { "Replay-Nonce: a=", NULL },         { "Replay-Nonce: \"a\"", NULL }, { "Other: a", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO_ANSWER(answer, cases[i].line);
        const char *nonce = tc_answer_nonce(&answer);
        assert_int_equal(nonce != NULL, cases[i].nonce != NULL);
        assert_true(nonce == NULL || strcmp(nonce, cases[i].nonce) == 0);
    }
}

static void a_nonce_has_a_longest_length(void **state)
{
    (void)state;
    char line[sizeof "Replay-Nonce: " + TC_NONCE_MAX + 1] = "Replay-Nonce: ";
    memset(line + strlen(line), 'a', TC_NONCE_MAX);
    AUTO_ANSWER(longest, line);
    assert_non_null(tc_answer_nonce(&longest));
    line[strlen(line)] = 'a';
    AUTO_ANSWER(longer, line);
    assert_null(tc_answer_nonce(&longer));
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    const int64_t now_ms = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t ms; /* -1: refused */
    } cases[] = {
        { "0", 0 },
        { "3", 3000 },
        { "3 ", 3000 },
        { "999999999", 999999999000 },
        { "Sun, 06 Nov 1994 08:49:40 GMT", 3000 },
        { "Sun, 06 Nov 1994 08:49:30 GMT", 0 },
        { "", -1 },
        { "-1", -1 },
        { "1.5", -1 },
        { "3s", -1 },
        { "9999999999", -1 },
        { "Sun, 06 Nov 1994 08:49:40", -1 },
        { "Sun, 06 Nov 1994 08:49:40 GMT x", -1 },
        { "soon", -1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms = -1;
        if (tc_retry_after(cases[i].value, now_ms, &ms) != (cases[i].ms >= 0) || ms != cases[i].ms)
            fail_msg("\"%s\" gives %lld", cases[i].value, (long long)ms);
    }
    int64_t ms;
    assert_false(tc_retry_after(NULL, now_ms, &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_whatever_their_case),
        cmocka_unit_test(the_same_header_twice_has_two_values),
        cmocka_unit_test(a_second_status_line_forgets_what_was_before),
        cmocka_unit_test(lines_that_are_no_headers_are_ignored),
        cmocka_unit_test(too_many_headers_fail_the_buffer),
        cmocka_unit_test(a_nonce_is_base64url_or_none),
        cmocka_unit_test(a_nonce_has_a_longest_length),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
