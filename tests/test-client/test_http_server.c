#include "test-client/http_server.h"

#include "tests/test-client/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    struct http_server *server;
    uint16_t port;
};

/* Says the method, the path and the body back. */
static void echo(void *owner, const struct http_request *request, struct http_response *response)
{
    (void)owner;
    response->content_type = "text/plain";
    buf_printf(response->body, "%.*s %.*s ", (int)request->method.len, (const char *)request->method.data,
               (int)request->path.len, (const char *)request->path.data);
    buf_append(response->body, request->body.data, request->body.len);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_storage address = loopback_any();
    char why[LISTEN_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    CHECK(http_server_start(&f->loop, &address, NULL, echo, NULL, &f->server, why));
    f->port = http_server_port(f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_server_drop(f->server);
    loopback_end(&f->loop);
    free(f);
    return 0;
}

static void assert_holds(const struct buf *text, const char *part)
{
    if (strstr(buf_str(text), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, buf_str(text));
}

static void test_answer_and_close(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    loopback_exchange(&f->loop, f->port, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &out);
    assert_string_equal(buf_str(&out), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n"
                                       "Content-Type: text/plain\r\n\r\nGET /x ");
}

static void test_head_has_no_body(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    loopback_exchange(&f->loop, f->port, "HEAD /x HTTP/1.0\r\n\r\n", &out);
    assert_holds(&out, "Content-Length: 8\r\n");
    assert_string_equal(buf_str(&out) + out.len - 4, "\r\n\r\n");
}

static void test_kept_connection_answers_pipelined_requests_in_order(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    loopback_exchange(&f->loop, f->port,
                      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                      "GET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                      &out);
    const char *first = strstr(buf_str(&out), "POST /1 abc"), *second = strstr(buf_str(&out), "GET /2 "),
               *third = strstr(buf_str(&out), "GET /3 ");
    assert_true(first != NULL && first < second && second < third);
}

static void test_request_in_single_bytes(void **state)
{
    struct fixture *f = *state;
    static const char request[] = "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";
    AUTO_BUF(out, 4096);
    int fd = loopback_connect(f->port);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        loopback_send(fd, request + i, 1);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
    assert_holds(&out, "POST /1 abc");
}

static void test_waiting_sender_is_told_to_go_on_once(void **state)
{
    struct fixture *f = *state;
    static const char head[] = "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
                               "Content-Length: 3\r\n\r\n";
    static const char told[] = "HTTP/1.1 100 Continue\r\n\r\n";
    AUTO_BUF(out, 4096);
    int fd = loopback_connect(f->port);
    loopback_send(fd, head, sizeof head - 1);
    assert_true(loopback_read(&f->loop, fd, &out, sizeof told - 1));
    assert_string_equal(buf_str(&out), told);
    loopback_send(fd, "a", 1);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    loopback_send(fd, "bc", 2);
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
    assert_holds(&out, "POST /1 abc");
    assert_null(strstr(buf_str(&out) + sizeof told - 1, "100 Continue"));
}

static void test_refusals_are_answered_and_end_the_connection(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request, *status_line;
    } rows[] = {
        { "nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\nxxxxx", "HTTP/1.1 413 " },
        { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n", "HTTP/1.1 501 " },
        { "GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 " },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_BUF(out, 4096);
        loopback_exchange(&f->loop, f->port, rows[i].request, &out);
        assert_int_equal(strncmp(buf_str(&out), rows[i].status_line, strlen(rows[i].status_line)), 0);
        assert_holds(&out, "Connection: close\r\n");
    }
}

static void test_endless_head_is_refused(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(request, 20000);
    buf_text(&request, "GET / HTTP/1.1\r\n");
    while (request.len < 10000)
        buf_text(&request, "Padding: 0123456789\r\n");
    AUTO_BUF(out, 4096);
    loopback_exchange(&f->loop, f->port, buf_str(&request), &out);
    assert_holds(&out, "HTTP/1.1 431 ");
}

static void test_sender_that_ends_early_gets_its_answer(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    int fd = loopback_connect(f->port);
    static const char request[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    loopback_send(fd, request, sizeof request - 1);
    shutdown(fd, SHUT_WR);
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
    assert_holds(&out, "GET /x ");
}

/* Connections inherit it from the socket that listens. */
static void make_send_buffer_small(uv_handle_t *handle, void *arg)
{
    (void)arg;
    int small = 4096;
    if (handle->type == UV_TCP)
        assert_int_equal(uv_send_buffer_size(handle, &small), 0);
}

/* Answers that wait for a slow reader are not lost when it has ended its own side. */
static void test_slow_reader_that_ends_early_gets_all_answers(void **state)
{
    struct fixture *f = *state;
    enum { REQUESTS = 15, BODY = 60000 };
    uv_walk(&f->loop, make_send_buffer_small, NULL);
    int fd = loopback_connect(f->port);
    AUTO_BUF(request, BODY + 200);
    buf_printf(&request, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
    for (int i = 0; i < BODY; i++)
        buf_char(&request, 'x');
    AUTO_BUF(out, REQUESTS * (BODY + 1000));
    for (int i = 0; i < REQUESTS; i++) {
        loopback_send(fd, request.data, request.len);
        for (int round = 0; round < 4; round++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    shutdown(fd, SHUT_WR);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
    assert_true(out.len > (size_t)REQUESTS * BODY);
}

static void test_taken_port_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_storage address = loopback_any();
    ((struct sockaddr_in *)&address)->sin_port = htons(f->port);
    struct http_server *second = NULL;
    char why[LISTEN_WHY_SIZE];
    assert_false(http_server_start(&f->loop, &address, NULL, echo, NULL, &second, why));
    assert_string_equal(why, "address already in use");
    assert_null(second);
}

static void test_drop_with_open_connections(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    int fd = loopback_connect(f->port);
    static const char request[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /half";
    loopback_send(fd, request, sizeof request - 1);
    loopback_wait(&f->loop, fd);
    http_server_drop(TAKE(f->server));
    loopback_read_to_end(&f->loop, fd, &out);
    close(fd);
    assert_holds(&out, "GET /x ");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_answer_and_close),
        CASE(test_head_has_no_body),
        CASE(test_kept_connection_answers_pipelined_requests_in_order),
        CASE(test_request_in_single_bytes),
        CASE(test_waiting_sender_is_told_to_go_on_once),
        CASE(test_refusals_are_answered_and_end_the_connection),
        CASE(test_endless_head_is_refused),
        CASE(test_sender_that_ends_early_gets_its_answer),
        CASE(test_slow_reader_that_ends_early_gets_all_answers),
        CASE(test_taken_port_is_an_error),
        CASE(test_drop_with_open_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
