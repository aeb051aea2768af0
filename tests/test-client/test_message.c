#include "test-client/message.h"
#include "tests/unit.h"

#include <string.h>

enum { ARENA_BYTES = 1 << 20 };

#define DIRECTORY "{\"newNonce\":\"n\",\"newAccount\":\"a\",\"newOrder\":\"o\",\"meta\":{}"
#define ORDER     "\"authorizations\":[\"a1\",\"a2\"],\"finalize\":\"f\""
#define CHALLENGE "{\"type\":\"http-01\",\"status\":\"pending\",\"url\":\"u\",\"token\":\"t\"}"
#define PROBLEM                                                                                                        \
    "{\"type\":\"urn:ietf:params:acme:error:compound\",\"detail\":\"d\",\"status\":400,\"subproblems\":["              \
    "{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"no such name\",\"identifier\":{\"type\":\"dns\","       \
    "\"value\":\"b.test\"}}]}"

static void a_directory_has_what_it_must_and_may(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_directory directory;
    char why[TC_WHY_SIZE];
    assert_true(tc_read_directory(arena, bytes_text(DIRECTORY ",\"revokeCert\":\"r\"}"), &directory, why));
    assert_string_equal(directory.new_nonce, "n");
    assert_string_equal(directory.revoke_cert, "r");
    assert_null(directory.renewal_info);
    assert_false(tc_read_directory(arena, bytes_text("{\"newNonce\":\"n\",\"newOrder\":\"o\"}"), &directory, why));
    assert_string_equal(why, "the server's directory has no usable \"newAccount\"");
    assert_false(tc_read_directory(arena, bytes_text("[]"), &directory, why));
}

static void an_order_is_read(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_order order;
    char why[TC_WHY_SIZE];
    assert_true(tc_read_order(arena, bytes_text("{\"status\":\"pending\"," ORDER "}"), &order, why));
    assert_int_equal(order.state, ORDER_PENDING);
    assert_int_equal(order.authorization_count, 2);
    assert_string_equal(order.authorizations[1], "a2");
    assert_string_equal(order.finalize, "f");
    assert_null(order.certificate);
    assert_null(order.problem);
}

static void an_invalid_order_says_why(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_order order;
    char why[TC_WHY_SIZE];
    assert_true(
        tc_read_order(arena, bytes_text("{\"status\":\"invalid\"," ORDER ",\"error\":" PROBLEM "}"), &order, why));
    assert_string_equal(order.problem->type, "compound");
    assert_int_equal(order.problem->status, 400);
    assert_int_equal(order.problem->subproblem_count, 1);
    assert_string_equal(order.problem->subproblems[0].type, "dns");
    assert_string_equal(order.problem->subproblems[0].name, "b.test");
}

static void what_is_no_order_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "{}",
        "[" ORDER "]",
        "{\"status\":\"finished\"," ORDER "}",
        "{\"status\":1," ORDER "}",
        "{\"status\":\"pending\",\"authorizations\":[],\"finalize\":\"f\"}",
        "{\"status\":\"pending\",\"authorizations\":\"a\",\"finalize\":\"f\"}",
        "{\"status\":\"pending\",\"authorizations\":[1],\"finalize\":\"f\"}",
        "{\"status\":\"pending\",\"authorizations\":[\"a\"]}",
        "{\"status\":\"pending\",\"status\":\"valid\"," ORDER "}",
        "{\"status\":\"valid\"," ORDER "}", /* without certificate */
        "{\"status\":\"pending\"," ORDER "} x",
    };
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        struct tc_order order;
        char why[TC_WHY_SIZE] = "";
        if (tc_read_order(arena, bytes_text(bodies[i]), &order, why))
            fail_msg("%s was accepted", bodies[i]);
        assert_true(why[0] != '\0');
    }
}

#define AUTHORIZATION(state, challenges)                                                                               \
    "{\"status\":\"" state "\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},\"challenges\":[" challenges "]" \
    "}"

static void the_challenge_asked_for_is_found_among_others(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_authorization authorization;
    char why[TC_WHY_SIZE];
    struct bytes body =
        bytes_text(AUTHORIZATION("pending", "{\"type\":\"new-99\"},{\"status\":\"pending\"}," CHALLENGE));
    assert_true(tc_read_authorization(arena, body, CHALLENGE_HTTP_01, &authorization, why));
    assert_true(authorization.offered);
    assert_string_equal(authorization.name, "a.test");
    assert_string_equal(authorization.challenge.token, "t");
    assert_string_equal(authorization.challenge.url, "u");
    assert_true(tc_read_authorization(arena, body, CHALLENGE_DNS_01, &authorization, why));
    assert_false(authorization.offered);
}

static void a_persistent_challenge_has_issuers_in_place_of_a_token(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_authorization authorization;
    char why[TC_WHY_SIZE];
    struct bytes body = bytes_text("{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},"
                                   "\"wildcard\":true,\"challenges\":[{\"type\":\"dns-persist-01\",\"url\":\"u\","
                                   "\"status\":\"pending\",\"issuer-domain-names\":[\"ca.test\",\"b.test\"]}]}");
    assert_true(tc_read_authorization(arena, body, CHALLENGE_DNS_PERSIST_01, &authorization, why));
    assert_true(authorization.offered && authorization.wildcard);
    assert_null(authorization.challenge.token);
    assert_string_equal(authorization.challenge.issuer, "ca.test");
    assert_false(authorization.challenge.hashed);
}

static void since_draft_02_it_is_hashed(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_challenge challenge;
    char why[TC_WHY_SIZE];
    struct bytes body = bytes_text("{\"type\":\"dns-persist-01\",\"url\":\"u\",\"status\":\"pending\","
                                   "\"issuerDomainNames\":[\"ca.test\"],\"issuer-domain-names\":[\"no.test\"]}");
    assert_true(tc_read_challenge(arena, body, &challenge, why));
    assert_string_equal(challenge.issuer, "ca.test");
    assert_true(challenge.hashed);
}

static void the_problem_of_whichever_challenge_is_kept(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    struct tc_authorization authorization;
    char why[TC_WHY_SIZE];
    struct bytes body =
        bytes_text(AUTHORIZATION("invalid", "{\"type\":\"dns-01\",\"status\":\"invalid\",\"error\":" PROBLEM "}"));
    assert_true(tc_read_authorization(arena, body, CHALLENGE_HTTP_01, &authorization, why));
    assert_int_equal(authorization.state, AUTHORIZATION_INVALID);
    assert_string_equal(authorization.problem->detail, "d");
}

static void what_is_no_authorization_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"status\":\"pending\",\"challenges\":[" CHALLENGE "]}",
        AUTHORIZATION("pending", ""),
        AUTHORIZATION("ready", CHALLENGE),
        AUTHORIZATION("pending", "{\"type\":\"http-01\",\"status\":\"pending\",\"url\":\"u\"}"),
        AUTHORIZATION("pending", "{\"type\":\"http-01\",\"status\":\"pending\",\"token\":\"t\"}"),
        AUTHORIZATION("pending", "{\"type\":\"dns-persist-01\",\"status\":\"pending\",\"url\":\"u\",\"token\":\"t\"}"),
        AUTHORIZATION("pending", "{\"type\":\"dns-persist-01\",\"status\":\"pending\",\"url\":\"u\","
                                 "\"issuer-domain-names\":[]}"),
        AUTHORIZATION("pending", "{\"type\":\"http-01\",\"status\":\"new\",\"url\":\"u\",\"token\":\"t\"}"),
    };
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        struct tc_authorization authorization;
        char why[TC_WHY_SIZE];
        enum acme_challenge_type type = strstr(bodies[i], "persist") ? CHALLENGE_DNS_PERSIST_01 : CHALLENGE_HTTP_01;
        if (tc_read_authorization(arena, bytes_text(bodies[i]), type, &authorization, why))
            fail_msg("%s was accepted", bodies[i]);
    }
}

static const struct tc_problem *problem_of(struct arena *arena, int status, const char *body)
{
    __attribute__((cleanup(tc_answer_free))) struct tc_answer answer = TC_ANSWER_INIT;
    answer.status = status;
    buf_text(&answer.body, body);
    const struct tc_problem *problem = tc_read_problem(arena, &answer);
    assert_non_null(problem);
    return problem;
}

static void any_refusal_makes_a_problem(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(ARENA_BYTES);
    assert_string_equal(problem_of(arena, 400, PROBLEM)->type, "compound");
    assert_string_equal(problem_of(arena, 400, "{\"type\":\"tag:x\"}")->type, "tag:x");
    assert_string_equal(problem_of(arena, 400, "{}")->type, "about:blank");
    assert_string_equal(problem_of(arena, 502, "<html>")->type, "(no problem document)");
    assert_string_equal(problem_of(arena, 502, "<html>")->detail, "HTTP status 502");
    assert_string_equal(problem_of(arena, 400, "{\"subproblems\":[1]}")->type, "(no problem document)");
}

static void a_problem_is_printed_line_by_line_and_harmless(void **state)
{
    (void)state;
    struct tc_problem part = { .type = "dns", .detail = "no\nsuch\x1b[31m", .name = "b.test" };
    struct tc_problem problem = {
        .type = "compound", .detail = "\xc2\x9bx \xc3\xa4", .subproblems = &part, .subproblem_count = 1
    };
    AUTO_BUF(text, 4096);
    tc_print_problem(&text, "> ", &problem);
    assert_string_equal(buf_str(&text), "> compound: ?x \xc3\xa4\n  > b.test: dns: no?such?[31m\n");
}

static void requests_are_written(void **state)
{
    (void)state;
    AUTO_BUF(text, 4096);
    const char *contact = "mailto:a@b.test";
    tc_write_new_account(&text, &contact, 1);
    assert_string_equal(buf_str(&text), "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:a@b.test\"]}");
    buf_clear(&text);
    tc_write_new_account(&text, NULL, 0);
    assert_string_equal(buf_str(&text), "{\"termsOfServiceAgreed\":true}");
    buf_clear(&text);
    const struct acme_identifier names[] = { { IDENTIFIER_DNS, "a.test" }, { IDENTIFIER_IP, "::1" } };
    tc_write_new_order(&text, names, 2);
    assert_string_equal(buf_str(&text), "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.test\"},"
                                        "{\"type\":\"ip\",\"value\":\"::1\"}]}");
    buf_clear(&text);
    tc_write_finalize(&text, bytes_text("\xff\xfe"));
    assert_string_equal(buf_str(&text), "{\"csr\":\"__4\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_has_what_it_must_and_may),
        cmocka_unit_test(an_order_is_read),
        cmocka_unit_test(an_invalid_order_says_why),
        cmocka_unit_test(what_is_no_order_is_refused),
        cmocka_unit_test(the_challenge_asked_for_is_found_among_others),
        cmocka_unit_test(a_persistent_challenge_has_issuers_in_place_of_a_token),
        cmocka_unit_test(since_draft_02_it_is_hashed),
        cmocka_unit_test(the_problem_of_whichever_challenge_is_kept),
        cmocka_unit_test(what_is_no_authorization_is_refused),
        cmocka_unit_test(any_refusal_makes_a_problem),
        cmocka_unit_test(a_problem_is_printed_line_by_line_and_harmless),
        cmocka_unit_test(requests_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
