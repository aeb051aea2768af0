#include "acme/challenge.h"
#include "tests/unit.h"

static void texts_and_types_are_each_others_inverse(void **state)
{
    (void)state;
    for (unsigned type = 0; type < CHALLENGE_TYPES; type++) {
        enum acme_challenge_type found;
        assert_true(challenge_type_from_text(challenge_type_text(type), &found));
        assert_int_equal(found, type);
    }
    enum acme_challenge_type found;
    assert_false(challenge_type_from_text("tls-sni-01", &found));
    assert_false(challenge_type_from_text("HTTP-01", &found));
    assert_false(challenge_type_from_text("", &found));
}

/* [8738-7-1] */
static void what_is_offered_depends_on_the_identifier(void **state)
{
    (void)state;
    const struct acme_identifier dns = { IDENTIFIER_DNS, "a.test" };
    const struct acme_identifier wildcard = { IDENTIFIER_DNS, "*.a.test" };
    const struct acme_identifier ip = { IDENTIFIER_IP, "192.0.2.1" };
    assert_true(challenge_offered(CHALLENGE_HTTP_01, &dns));
    assert_true(challenge_offered(CHALLENGE_DNS_01, &dns));
    assert_true(challenge_offered(CHALLENGE_TLS_ALPN_01, &dns));
    assert_false(challenge_offered(CHALLENGE_HTTP_01, &wildcard));
    assert_true(challenge_offered(CHALLENGE_DNS_01, &wildcard));
    assert_false(challenge_offered(CHALLENGE_TLS_ALPN_01, &wildcard));
    assert_true(challenge_offered(CHALLENGE_HTTP_01, &ip));
    assert_false(challenge_offered(CHALLENGE_DNS_01, &ip)); /* RFC 8738 §7 */
    assert_true(challenge_offered(CHALLENGE_TLS_ALPN_01, &ip));
}

/* [8555-8.1-2] */
static void key_authorizations_join_token_and_thumbprint(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    assert_string_equal(key_authorization(arena, "token", "thumb"), "token.thumb");
    /* SHA-256 of "abc" */
    assert_string_equal(key_authorization_dns(arena, "abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

static void no_memory_gives_null(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(8);
    assert_null(key_authorization(arena, "token", "thumbprint"));
    assert_null(key_authorization_dns(arena, "token.thumbprint"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_types_are_each_others_inverse),
        cmocka_unit_test(what_is_offered_depends_on_the_identifier),
        cmocka_unit_test(key_authorizations_join_token_and_thumbprint),
        cmocka_unit_test(no_memory_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
