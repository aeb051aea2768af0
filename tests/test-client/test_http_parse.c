#include "test-client/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct parsed {
    struct http_request request;
    size_t used;
    int status;
};

static struct buf chunks = BUF_INIT(HTTP_BODY_MAX);

static enum http_parse parse_bytes(struct bytes input, struct parsed *out)
{
    *out = (struct parsed) { 0 };
    return http_request_parse(input, &chunks, &out->request, &out->used, &out->status);
}

static enum http_parse parse(const char *text, struct parsed *out)
{
    return parse_bytes(bytes_text(text), out);
}

static void assert_bytes(struct bytes bytes, const char *text)
{
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.len);
}

static const char full_request[] = "POST /add-a?x=1 HTTP/1.1\r\nHost: localhost:8055\r\nUser-Agent: curl/7 \r\n"
                                   "content-length: 4\r\n\r\nbody";

static void test_request_is_read_in_parts(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse(full_request, &parsed), HTTP_DONE);
    assert_int_equal(parsed.used, sizeof full_request - 1);
    assert_bytes(parsed.request.method, "POST");
    assert_bytes(parsed.request.path, "/add-a");
    assert_bytes(parsed.request.query, "x=1");
    assert_bytes(parsed.request.host, "localhost:8055");
    assert_bytes(parsed.request.user_agent, "curl/7");
    assert_bytes(parsed.request.body, "body");
    assert_true(parsed.request.keep_alive);
}

static void test_every_cut_waits_for_more(void **state)
{
    (void)state;
    struct parsed parsed;
    for (size_t len = 0; len < sizeof full_request - 1; len++)
        assert_int_equal(parse_bytes(bytes_of(full_request, len), &parsed), HTTP_MORE);
}

static void test_the_next_request_is_left_alone(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n", &parsed), HTTP_DONE);
    assert_int_equal(parsed.used, strlen("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(parsed.request.body.len, 0);
}

static void test_chunked_body_is_put_together(void **state)
{
    (void)state;
    static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0B;note=1\r\n, and world!\r\n0\r\nTrailer: t\r\n\r\n";
    struct parsed parsed;
    assert_int_equal(parse(text, &parsed), HTTP_BAD); /* "0B" announces eleven bytes, twelve come */
    assert_int_equal(parsed.status, 400);
    static const char good[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0B;note=1\r\n, and world\r\n0\r\nTrailer: t\r\n\r\n";
    assert_int_equal(parse(good, &parsed), HTTP_DONE);
    assert_bytes(parsed.request.body, "hello, and world");
    assert_int_equal(parsed.used, sizeof good - 1);
    for (size_t len = 0; len < sizeof good - 1; len++)
        assert_int_equal(parse_bytes(bytes_of(good, len), &parsed), HTTP_MORE);
}

static void test_connection_field_decides_about_the_next_request(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool keep_alive;
    } rows[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: TE, Close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct parsed parsed;
        assert_int_equal(parse(rows[i].head, &parsed), HTTP_DONE);
        assert_int_equal(parsed.request.keep_alive, rows[i].keep_alive);
    }
}

static void test_tolerated_forms(void **state)
{
    (void)state;
    struct parsed parsed;
    assert_int_equal(parse("\r\nGET /a HTTP/1.1\nHost: x\n\n", &parsed), HTTP_DONE);
    assert_bytes(parsed.request.path, "/a");
    assert_int_equal(parse("GET http://x:80/a?b HTTP/1.1\r\nHost: x\r\n\r\n", &parsed), HTTP_DONE);
    assert_bytes(parsed.request.path, "/a");
    assert_bytes(parsed.request.query, "b");
    assert_int_equal(parse("GET HTTP://x HTTP/1.1\r\nHost: x\r\n\r\n", &parsed), HTTP_DONE);
    assert_bytes(parsed.request.path, "/");
    assert_int_equal(parse("POST / HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", &parsed),
                     HTTP_DONE);
}

static void test_waiting_sender_is_seen(void **state)
{
    (void)state;
    struct parsed parsed;
    static const char text[] = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    assert_int_equal(parse(text, &parsed), HTTP_MORE);
    assert_true(parsed.request.expects_continue);
    assert_int_equal(parse_bytes(bytes_of(text, sizeof text - 2), &parsed), HTTP_MORE);
    assert_false(parsed.request.expects_continue);
}

static void test_wrong_requests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        { "GET\r\n\r\n", 400 },
        { "GET / \r\n\r\n", 400 },
        { "GET  / HTTP/1.1\r\n\r\n", 400 },
        { "G(T / HTTP/1.1\r\n\r\n", 400 },
        { "GET x HTTP/1.1\r\n\r\n", 400 },
        { "GET /\x01 HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/1.1 \r\n\r\n", 400 },
        { "GET / HTTP/2.0\r\n\r\n", 505 },
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413 },
        { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400 },
        { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 413 },
        { "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 400 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct parsed parsed;
        if (parse(rows[i].text, &parsed) != HTTP_BAD || parsed.status != rows[i].status)
            fail_msg("row %zu: status %d, not %d", i, parsed.status, rows[i].status);
    }
}

static void test_head_has_a_limit(void **state)
{
    (void)state;
    AUTO_BUF(text, HTTP_HEAD_MAX * 2);
    buf_text(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
    while (text.len <= HTTP_HEAD_MAX)
        buf_text(&text, "Padding: 0123456789\r\n");
    struct parsed parsed;
    assert_int_equal(parse_bytes(buf_bytes(&text), &parsed), HTTP_BAD);
    assert_int_equal(parsed.status, 431);
    buf_text(&text, "\r\n");
    assert_int_equal(parse_bytes(buf_bytes(&text), &parsed), HTTP_BAD);
    assert_int_equal(parsed.status, 431);
    assert_int_equal(parse_bytes(bytes_of(buf_str(&text), HTTP_HEAD_MAX), &parsed), HTTP_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_read_in_parts),
        cmocka_unit_test(test_every_cut_waits_for_more),
        cmocka_unit_test(test_the_next_request_is_left_alone),
        cmocka_unit_test(test_chunked_body_is_put_together),
        cmocka_unit_test(test_connection_field_decides_about_the_next_request),
        cmocka_unit_test(test_tolerated_forms),
        cmocka_unit_test(test_waiting_sender_is_seen),
        cmocka_unit_test(test_wrong_requests_are_refused),
        cmocka_unit_test(test_head_has_a_limit),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&chunks);
    return failed;
}
