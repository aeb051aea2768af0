#include "acme/problem.h"
#include "tests/unit.h"

enum { ARENA_BYTES = 1 << 16 };

static void each_type_has_its_text_and_status(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } rows[] = {
#define X(name, text, status) [PROBLEM_##name] = { text, status },
        ACME_PROBLEM_TABLE(X)
#undef X
    };
    for (unsigned type = 0; type < ARRAY_SIZE(rows); type++) {
        struct acme_problem problem;
        assert_false(problem_fail(&problem, type, "detail %u", type));
        assert_int_equal(problem.type, type);
        assert_int_equal(problem.status, rows[type].status);
        assert_string_equal(problem_type_text(type), rows[type].text);
        for (unsigned other = 0; other < type; other++)
            assert_string_not_equal(problem_type_text(type), problem_type_text(other));
    }
    assert_string_equal(problem_type_text(PROBLEM_BAD_NONCE), "badNonce");
}

/* The registry of ACME error types as far as it is ours, with the status where a specification gives one, written down
 * apart from the table under test. [8555-6.7-2] [8555-6.2-22] [8555-6.2-24] */
static void only_registered_types_are_used(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } registered[] = {
        { "accountDoesNotExist", 400 },
        { "alreadyReplaced", 409 },
        { "alreadyRevoked", 400 },
        { "badCSR", 0 },
        { "badNonce", 400 },
        { "badPublicKey", 400 },
        { "badRevocationReason", 0 },
        { "badSignatureAlgorithm", 400 },
        { "caa", 0 },
        { "compound", 0 },
        { "connection", 0 },
        { "dns", 0 },
        { "externalAccountRequired", 0 },
        { "incorrectResponse", 0 },
        { "invalidContact", 0 },
        { "invalidProfile", 0 },
        { "malformed", 0 },
        { "orderNotReady", 403 },
        { "rateLimited", 0 },
        { "rejectedIdentifier", 0 },
        { "serverInternal", 0 },
        { "tls", 0 },
        { "unauthorized", 0 },
        { "unsupportedContact", 0 },
        { "unsupportedIdentifier", 0 },
        { "userActionRequired", 403 },
    };
    for (unsigned type = 0; type <= PROBLEM_USER_ACTION_REQUIRED; type++) {
        struct acme_problem problem;
        size_t i = 0;
        problem_fail(&problem, type, "d");
        while (i < ARRAY_SIZE(registered) && strcmp(registered[i].text, problem_type_text(type)) != 0)
            i++;
        if (i == ARRAY_SIZE(registered))
            fail_msg("%s is not registered", problem_type_text(type));
        if (registered[i].status != 0)
            assert_int_equal(problem.status, registered[i].status);
    }
}

static void a_plain_problem_is_exact(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct acme_problem problem;
    problem_fail(&problem, PROBLEM_MALFORMED, "Send \"%s\" instead", "x");
    assert_string_equal(problem_json(arena, &problem), "{\"type\":\"urn:ietf:params:acme:error:malformed\","
                                                       "\"detail\":\"Send \\\"x\\\" instead\",\"status\":400}");
}

/* [8555-6.2-23] [8555-6.7.1-1] [8555-6.7.1-2] */
static void algorithms_and_subproblems_are_written(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    static const char *const algorithms[] = { "ES256", "RS256", NULL };
    static const struct acme_subproblem subproblems[] = {
        { PROBLEM_CAA, { IDENTIFIER_DNS, "*.a.test" }, "first" },
        { PROBLEM_DNS, { IDENTIFIER_IP, "::1" }, "second" },
    };
    struct acme_problem problem;
    problem_fail(&problem, PROBLEM_COMPOUND, "both");
    problem.algorithms = algorithms;
    problem.subproblems = subproblems;
    problem.subproblem_count = 2;
    assert_string_equal(problem_json(arena, &problem),
                        "{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"both\",\"status\":400,"
                        "\"algorithms\":[\"ES256\",\"RS256\"],\"subproblems\":["
                        "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"first\","
                        "\"identifier\":{\"type\":\"dns\",\"value\":\"*.a.test\"}},"
                        "{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"second\","
                        "\"identifier\":{\"type\":\"ip\",\"value\":\"::1\"}}]}");
}

static void it_can_be_a_member(void **state)
{
    (void)state;
    struct acme_problem problem;
    problem_fail(&problem, PROBLEM_TLS, "d");
    AUTO_BUF(buf, 1000);
    struct json_out out = JSON_OUT(&buf, 0);
    json_out_object(&out, NULL);
    problem_write(&out, "error", &problem);
    json_out_end_object(&out);
    assert_string_equal(buf_str(&buf),
                        "{\"error\":{\"type\":\"urn:ietf:params:acme:error:tls\",\"detail\":\"d\",\"status\":400}}");
}

static void a_status_of_its_own_is_kept(void **state)
{
    (void)state;
    struct acme_problem problem;
    assert_false(problem_fail_status(&problem, PROBLEM_MALFORMED, 405, "use POST"));
    assert_int_equal(problem.status, 405);
    assert_int_equal(problem.type, PROBLEM_MALFORMED);
}

static void the_cause_is_never_sent(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct acme_problem problem;
    assert_false(problem_internal(&problem, "secret path %d", 42));
    assert_string_equal(problem.cause, "secret path 42");
    assert_int_equal(problem.status, 500);
    assert_null(strstr(problem_json(arena, &problem), "secret"));
    assert_false(problem_out_of_memory(&problem));
    assert_string_equal(problem.cause, "out of memory");
    assert_int_equal(problem.status, 503);
}

static void nothing_is_left_of_an_earlier_problem(void **state)
{
    (void)state;
    static const char *const algorithms[] = { "ES256", NULL };
    struct acme_problem problem;
    problem_internal(&problem, "cause");
    problem.algorithms = algorithms;
    problem.subproblem_count = 3;
    problem_fail(&problem, PROBLEM_MALFORMED, "d");
    assert_string_equal(problem.cause, "");
    assert_null(problem.algorithms);
    assert_int_equal(problem.subproblem_count, 0);
}

/* [8555-5-1] */
static void details_are_always_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept;
    } cases[] = {
        { "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xb1", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8c\xb1" },
        { "a\xff\xfe", "a??" },
        { "cut \xe2\x82", "cut ??" },
        { "overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???" },
        { "surrogate \xed\xa0\x80", "surrogate ???" },
        { "beyond \xf4\x90\x80\x80", "beyond ????" },
        { "\xc3(", "?(" },
        { "line\nend\x1b[31m\x7f", "line?end?[31m?" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct acme_problem problem;
        problem_fail(&problem, PROBLEM_MALFORMED, "%s", cases[i].given);
        assert_string_equal(problem.detail, cases[i].kept);
    }
}

static void a_long_detail_is_cut_to_valid_json(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    AUTO_BUF(text, 4096);
    buf_char(&text, 'x');
    for (int i = 0; i < 1000; i++)
        buf_text(&text, "\xc3\xa4");
    for (int shift = 0; shift < 2; shift++) {
        struct acme_problem problem;
        problem_fail(&problem, PROBLEM_MALFORMED, "%s", buf_str(&text) + shift);
        assert_int_equal(strlen(problem.detail), PROBLEM_DETAIL_SIZE - 1);
        char why[JSON_WHY_SIZE];
        AUTO_TYPE(json_t) object = json_read_object(bytes_text(problem_json(arena, &problem)), why);
        assert_non_null(object);
    }
}

static void no_memory_gives_null(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(8);
    struct acme_problem problem;
    problem_fail(&problem, PROBLEM_MALFORMED, "d");
    assert_null(problem_json(arena, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_text_and_status),
        cmocka_unit_test(only_registered_types_are_used),
        cmocka_unit_test(a_plain_problem_is_exact),
        cmocka_unit_test(algorithms_and_subproblems_are_written),
        cmocka_unit_test(it_can_be_a_member),
        cmocka_unit_test(a_status_of_its_own_is_kept),
        cmocka_unit_test(the_cause_is_never_sent),
        cmocka_unit_test(nothing_is_left_of_an_earlier_problem),
        cmocka_unit_test(details_are_always_utf8),
        cmocka_unit_test(a_long_detail_is_cut_to_valid_json),
        cmocka_unit_test(no_memory_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
