/* Which handler a path and a method lead to, and what is said where there is none. */
#include "server/caraway.h"
#include "server/web/request.h"
#include "tests/unit.h"

static bool one(struct request *rq)
{
    (void)rq;
    return true;
}

static bool two(struct request *rq)
{
    (void)rq;
    return false;
}

static const struct route rows[] = {
    { "/things", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, one },
    { "/things", METHOD_POST | METHOD_DELETE, PROOF_NONE, PAYLOAD_NONE, 10, two },
    { "/things/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, one },
    { "/things/{}/part/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, two },
    { "/things/{}/part", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, one },
};

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_create(1 << 16);
    return arena == NULL;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_drop(arena);
    return 0;
}

static struct request request(const struct routes *routes, enum method method, const char *path)
{
    return (
        struct request) { .arena = arena, .routes = routes, .method = method, .path = path, .base_url = "https://ca" };
}

static const struct routes acme = { rows, ARRAY_SIZE(rows), .acme = true };
static const struct routes other = { rows, ARRAY_SIZE(rows), .acme = false };

static struct request found(enum method method, const char *path)
{
    struct request rq = request(&acme, method, path);
    assert_true(request_route(&rq));
    return rq;
}

static void path_and_method_choose_the_row(void **state)
{
    (void)state;
    assert_ptr_equal(found(METHOD_GET, "/things").route, &rows[0]);
    assert_ptr_equal(found(METHOD_HEAD, "/things").route, &rows[0]);
    assert_ptr_equal(found(METHOD_POST, "/things").route, &rows[1]);
    assert_ptr_equal(found(METHOD_DELETE, "/things").route, &rows[1]);
    assert_ptr_equal(found(METHOD_POST, "/things/7").route, &rows[2]);
    assert_ptr_equal(found(METHOD_GET, "/things/7/part").route, &rows[4]);
}

static void braces_take_one_segment_each(void **state)
{
    (void)state;
    struct request rq = found(METHOD_POST, "/things/a%b/part/c.d");
    assert_string_equal(rq.params[0], "a%b");
    assert_string_equal(rq.params[1], "c.d");
    assert_null(found(METHOD_POST, "/things/7").params[1]);
}

static void paths_match_whole(void **state)
{
    (void)state;
    static const char *const paths[] = { "",
                                         "/",
                                         "things",
                                         "/thing",
                                         "/thingsx",
                                         "/things/",
                                         "//things",
                                         "/things//",
                                         "/things/7/",
                                         "/things/7/parts",
                                         "/Things",
                                         "/things/7/part/8/",
                                         "/things//part/8",
                                         "/things/7/part/8/9",
                                         "/{}" };
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct request rq = request(&acme, METHOD_POST, paths[i]);
        if (request_route(&rq))
            fail_msg("%s was found", paths[i]);
        assert_int_equal(rq.problem.status, 404);
        assert_null(rq.route);
    }
}

/* [8555-6.3-1] */
static void a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;
    static const struct {
        enum method method;
        const char *path, *allow;
    } cases[] = {
        { METHOD_OTHER, "/things", "GET, HEAD, POST, DELETE" },
        { METHOD_GET, "/things/7", "POST" },
        { METHOD_HEAD, "/things/7", "POST" },
        { METHOD_POST, "/things/7/part", "GET, HEAD" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct request rq = request(&acme, cases[i].method, cases[i].path);
        assert_false(request_route(&rq));
        assert_int_equal(rq.problem.status, 405);
        assert_int_equal(rq.problem.type, PROBLEM_MALFORMED);
        assert_int_equal(rq.reply.header_count, 1);
        assert_string_equal(rq.reply.headers[0].name, "Allow");
        assert_string_equal(rq.reply.headers[0].value, cases[i].allow);
    }
}

static void browsers_may_ask_before_they_post(void **state)
{
    (void)state;
    struct request rq = found(METHOD_OPTIONS, "/things/7");
    assert_int_equal(rq.route->proof, PROOF_NONE);
    rq = request(&acme, METHOD_OPTIONS, "/nothing");
    assert_false(request_route(&rq));
    assert_int_equal(rq.problem.status, 404);
    rq = request(&other, METHOD_OPTIONS, "/things/7");
    assert_false(request_route(&rq));
    assert_int_equal(rq.problem.status, 405);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_and_method_choose_the_row),
        cmocka_unit_test(braces_take_one_segment_each),
        cmocka_unit_test(paths_match_whole),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(browsers_may_ask_before_they_post),
    };
    return cmocka_run_group_tests(tests, open_arena, drop_arena);
}
