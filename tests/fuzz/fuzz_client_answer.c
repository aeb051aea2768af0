/* A whole answer as the client meets it: header lines, an empty line, a body that may be any of ACME's objects. */
#include "test-client/message.h"

enum { ARENA_BYTES = 4 << 20, PRINT_MAX = 8 << 20 };

static struct bytes take_headers(struct tc_answer *answer, struct bytes rest)
{
    for (;;) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        if (end == NULL)
            return bytes_of(rest.data, 0);
        size_t len = (size_t)(end - rest.data) + 1;
        tc_answer_take_header(answer, bytes_of(rest.data, len));
        rest = bytes_of(rest.data + len, rest.len - len);
        if (len == 1)
            return rest;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    __attribute__((cleanup(tc_answer_free))) struct tc_answer answer = TC_ANSWER_INIT;
    struct bytes body = take_headers(&answer, bytes_of(size > 0 ? data : (const uint8_t *)"", size));
    buf_append(&answer.body, body.data, body.len);
    int64_t wait_ms = 0;
    (void)tc_answer_nonce(&answer);
    (void)tc_answer_link(&answer, arena, "alternate", 1);
    CHECK(!tc_retry_after(tc_answer_header(&answer, "Retry-After", 0), 1000000000000, &wait_ms) || wait_ms >= 0);
    char why[TC_WHY_SIZE];
    (void)!tc_read_directory(arena, body, &(struct tc_directory) { 0 }, why);
    (void)!tc_read_order(arena, body, &(struct tc_order) { 0 }, why);
    (void)!tc_read_authorization(arena, body, CHALLENGE_HTTP_01, &(struct tc_authorization) { 0 }, why);
    (void)!tc_read_challenge(arena, body, &(struct tc_challenge) { 0 }, why);
    const struct tc_problem *problem = tc_read_problem(arena, &answer);
    AUTO_BUF(text, PRINT_MAX);
    if (problem != NULL)
        tc_print_problem(&text, "", problem);
    return 0;
}
