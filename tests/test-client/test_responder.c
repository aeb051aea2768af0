#include "test-client/responder.h"

#include "tests/test-client/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    struct tc_responder *responder;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[TC_RESPONDER_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    const struct tc_responder_options options = { .http_port = TC_RESPONDER_ANY_PORT };
    CHECK(tc_responder_start(&f->loop, &options, &f->responder, why));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tc_responder_drop(f->responder);
    loopback_end(&f->loop);
    free(f);
    return 0;
}

static void get(struct fixture *f, const char *path, struct buf *out)
{
    AUTO_BUF(request, 1024);
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", path);
    buf_clear(out);
    loopback_exchange(&f->loop, tc_responder_port(f->responder, CHALLENGE_HTTP_01), buf_str(&request), out);
}

static void test_http_01_answers_until_removed(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_true(tc_responder_add(f->responder, CHALLENGE_HTTP_01, "www.example.test", "token-1", "token-1.print"));
    assert_true(tc_responder_add(f->responder, CHALLENGE_HTTP_01, "www.example.test", "token-2", "token-2.print"));
    get(f, "/.well-known/acme-challenge/token-1", &out);
    assert_non_null(strstr(buf_str(&out), "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(buf_str(&out), "\r\n\r\ntoken-1.print"));
    tc_responder_remove(f->responder, CHALLENGE_HTTP_01, "www.example.test", "token-1");
    get(f, "/.well-known/acme-challenge/token-1", &out);
    assert_non_null(strstr(buf_str(&out), "HTTP/1.1 404 Not Found\r\n"));
    get(f, "/.well-known/acme-challenge/token-2", &out);
    assert_non_null(strstr(buf_str(&out), "\r\n\r\ntoken-2.print"));
}

static void test_http_01_knows_no_other_path(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = { "/", "/token-1", "/.well-known/acme-challenge/",
                                         "/.well-known/acme-challenge/token-", "/.well-known/acme-challenge/token-11" };
    assert_true(tc_responder_add(f->responder, CHALLENGE_HTTP_01, "www.example.test", "token-1", "token-1.print"));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        AUTO_BUF(out, 4096);
        get(f, paths[i], &out);
        assert_non_null(strstr(buf_str(&out), "HTTP/1.1 404 Not Found\r\n"));
    }
}

static void test_type_that_is_off(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(tc_responder_port(f->responder, CHALLENGE_DNS_01), 0);
    assert_false(tc_responder_add(f->responder, CHALLENGE_DNS_01, "www.example.test", "t", "t.print"));
    tc_responder_remove(f->responder, CHALLENGE_DNS_01, "www.example.test", "t");
}

static void test_taken_port_is_named(void **state)
{
    struct fixture *f = *state;
    uint16_t port = tc_responder_port(f->responder, CHALLENGE_HTTP_01);
    const struct tc_responder_options options = { .http_port = port };
    struct tc_responder *second = NULL;
    char why[TC_RESPONDER_WHY_SIZE], expected[TC_RESPONDER_WHY_SIZE];
    assert_false(tc_responder_start(&f->loop, &options, &second, why));
    snprintf(expected, sizeof expected, "cannot answer http-01 on 127.0.0.1:%u: address already in use", port);
    assert_string_equal(why, expected);
    assert_null(second);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_http_01_answers_until_removed),
        CASE(test_http_01_knows_no_other_path),
        CASE(test_type_that_is_off),
        CASE(test_taken_port_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
