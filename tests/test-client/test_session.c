#include "test-client/session.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/scripted_server.h"
#include "tests/unit.h"

#include <pthread.h>
#include <stdio.h>

#define DIRECTORY                                                                                                      \
    {                                                                                                                  \
        "GET /dir", 200, NULL, "{\"newNonce\":\"@/nonce\",\"newAccount\":\"@/account\",\"newOrder\":\"@/order\"}"      \
    }
#define ACCOUNT                                                                                                        \
    {                                                                                                                  \
        "POST /account", 201, "Location: @/account/1\r\n", "{\"status\":\"valid\"}"                                    \
    }
#define NONCE                                                                                                          \
    {                                                                                                                  \
        "HEAD /nonce", 200, NULL, NULL                                                                                 \
    }
#define ORDER                                                                                                          \
    {                                                                                                                  \
        "POST /order", 201, NULL, "{}"                                                                                 \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, NULL                                                                                            \
    }

/* The server has a thread of its own, since a session waits for it. It is looked at when the thread has ended. */
struct fixture {
    uv_loop_t loop;
    uv_async_t stop;
    pthread_t thread;
    bool running;
    struct scripted_server server;
    struct tc_session *session;
    char order_url[60];
};

static void on_stop(uv_async_t *stop)
{
    struct fixture *f = stop->data;
    scripted_server_drop(&f->server);
    uv_close((uv_handle_t *)stop, NULL);
}

static void *serve(void *arg)
{
    struct fixture *f = arg;
    uv_run(&f->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void stop_server(struct fixture *f)
{
    if (!f->running)
        return;
    f->running = false;
    uv_async_send(&f->stop);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    scripted_server_start(&f->server, &f->loop);
    uv_async_init(&f->loop, &f->stop, on_stop);
    f->stop.data = f;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    stop_server(f);
    tc_session_drop(f->session);
    CHECK(uv_loop_close(&f->loop) == 0);
    free(f);
    return 0;
}

/* Starts the server with the script and opens a session with it. */
static bool open_session(struct fixture *f, const struct script_row *rows, char why[static TC_WHY_SIZE])
{
    char url[60];
    snprintf(url, sizeof url, "%s/dir", f->server.url);
    snprintf(f->order_url, sizeof f->order_url, "%s/order", f->server.url);
    scripted_server_play(&f->server, rows);
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
    f->running = true;
    struct tc_session_options options = { .exchange = { .protocols = "http", .timeout_s = 20 }, .directory_url = url };
    return tc_session_open(&options, &f->session, why);
}

static void open_registered(struct fixture *f, const struct script_row *rows)
{
    char why[TC_WHY_SIZE] = "";
    if (!open_session(f, rows, why) || !tc_session_register(f->session, NULL, 0, why))
        fail_msg("%s", why);
}

static void expect_mistake(struct fixture *f, const char *mistake)
{
    stop_server(f);
    assert_string_equal(f->server.mistake, mistake);
    assert_null(f->server.next->request);
}

static void an_account_has_its_kid(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, ORDER, END };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    open_registered(f, rows);
    assert_non_null(strstr(tc_session_kid(f->session), "/account/1"));
    assert_true(tc_session_post(f->session, &(struct tc_post) { .url = f->order_url, .payload = "{}" }, &answer, why));
    assert_int_equal(answer->status, 201);
    assert_string_equal(buf_str(&answer->body), "{}");
    expect_mistake(f, "");
}

static void a_refused_account_is_said(void **state)
{
    static const struct script_row rows[] = {
        DIRECTORY,
        { "POST /account", 403, NULL, "{\"type\":\"urn:ietf:params:acme:error:unauthorized\",\"detail\":\"no\"}" },
        END
    };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE];
    assert_true(open_session(f, rows, why));
    assert_false(tc_session_register(f->session, NULL, 0, why));
    assert_string_equal(why, "unauthorized: no");
    assert_null(tc_session_kid(f->session));
}

static void a_nonce_of_ones_own_is_sent(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, ORDER, END };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    open_registered(f, rows);
    struct tc_post post = { .url = f->order_url, .nonce = "bm9uY2U" };
    assert_true(tc_session_post(f->session, &post, &answer, why));
    expect_mistake(f, "nonce bm9uY2U, not n0000002");
}

static void a_nonce_that_was_taken_is_replaced_by_a_fresh_one(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, NONCE, ORDER, END };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE], nonce[TC_NONCE_MAX + 1];
    const struct tc_answer *answer;
    open_registered(f, rows);
    assert_true(tc_session_take_nonce(f->session, nonce, why));
    assert_string_equal(nonce, "n0000002");
    assert_true(tc_session_post(f->session, &(struct tc_post) { .url = f->order_url }, &answer, why));
    expect_mistake(f, "");
}

static void the_whole_protected_header_can_be_replaced(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, ORDER, END };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    open_registered(f, rows);
    struct tc_post post = { .url = f->order_url, .protected_json = "{\"alg\":\"ES256\",\"nonce\":\"bm9uY2U\"}" };
    assert_true(tc_session_post(f->session, &post, &answer, why));
    stop_server(f);
    assert_non_null(strstr(f->server.mistake, "no JWS"));
}

static void the_whole_body_can_be_replaced(void **state)
{
    static const struct script_row rows[] = { DIRECTORY, ACCOUNT, ORDER, END };
    struct fixture *f = *state;
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    open_registered(f, rows);
    struct tc_post post = { .url = f->order_url, .body = "[", .content_type = "text/plain" };
    assert_true(tc_session_post(f->session, &post, &answer, why));
    stop_server(f);
    assert_non_null(strstr(f->server.mistake, "no JWS"));
}

static void no_server_is_no_session(void **state)
{
    static const struct script_row hangs_up[] = { { "GET /dir", 0, NULL, NULL }, END };
    char why[TC_WHY_SIZE] = "";
    assert_false(open_session(*state, hangs_up, why));
    assert_true(why[0] != '\0');
}

static void a_directory_may_be_missing(void **state)
{
    static const struct script_row rows[] = { { "GET /dir", 404, NULL, "{}" }, END };
    char why[TC_WHY_SIZE];
    assert_false(open_session(*state, rows, why));
    assert_non_null(strstr(why, "gives HTTP status 404"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_account_has_its_kid),
        CASE(a_refused_account_is_said),
        CASE(a_nonce_of_ones_own_is_sent),
        CASE(a_nonce_that_was_taken_is_replaced_by_a_fresh_one),
        CASE(the_whole_protected_header_can_be_replaced),
        CASE(the_whole_body_can_be_replaced),
        CASE(no_server_is_no_session),
        CASE(a_directory_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
