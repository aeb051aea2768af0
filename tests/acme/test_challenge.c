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
    static const enum acme_challenge_type newer[] = { CHALLENGE_DNS_ACCOUNT_01, CHALLENGE_DNS_PERSIST_01 };
    for (size_t i = 0; i < ARRAY_SIZE(newer); i++) {
        assert_true(challenge_offered(newer[i], &dns));
        assert_true(challenge_offered(newer[i], &wildcard));
        assert_false(challenge_offered(newer[i], &ip));
    }
}

static void only_dns_persist_has_no_token(void **state)
{
    (void)state;
    for (enum acme_challenge_type type = 0; type < CHALLENGE_TYPES; type++)
        assert_int_equal(challenge_has_token(type), type != CHALLENGE_DNS_PERSIST_01);
}

/* [label-3.2-1] the account URL and its label are the draft's own example */
static void names_of_txt_records(void **state)
{
    (void)state;
    static const char account[] = "https://example.com/acme/acct/ExampleAccount";
    static const struct {
        enum acme_challenge_type type;
        const char *name;
    } rows[] = {
        { CHALLENGE_DNS_01, "_acme-challenge.example.org" },
        { CHALLENGE_DNS_ACCOUNT_01, "_ujmmovf2vn55tgye._acme-challenge.example.org" },
        { CHALLENGE_DNS_PERSIST_01, "_validation-persist.example.org" },
    };
    const struct acme_identifier plain = { IDENTIFIER_DNS, "example.org" };
    const struct acme_identifier wildcard = { IDENTIFIER_DNS, "*.example.org" };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_BUF(one, CHALLENGE_TXT_NAME_MAX);
        AUTO_BUF(other, CHALLENGE_TXT_NAME_MAX);
        challenge_txt_name(&one, rows[i].type, &plain, account);
        challenge_txt_name(&other, rows[i].type, &wildcard, account);
        assert_string_equal(buf_str(&one), rows[i].name);
        assert_string_equal(buf_str(&other), rows[i].name);
    }
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    char name[IDENTIFIER_MAX_BYTES + 1];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const struct acme_identifier longest = { IDENTIFIER_DNS, name };
    AUTO_BUF(fits, CHALLENGE_TXT_NAME_MAX);
    challenge_txt_name(&fits, CHALLENGE_DNS_ACCOUNT_01, &longest, "https://a.test/");
    assert_false(fits.failed);
    assert_int_equal(fits.len, CHALLENGE_TXT_NAME_MAX);
    AUTO_BUF(short_one, CHALLENGE_TXT_NAME_MAX - 1);
    challenge_txt_name(&short_one, CHALLENGE_DNS_ACCOUNT_01, &longest, "https://a.test/");
    assert_true(short_one.failed);
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

/* [persist-4.1-7] the draft's own example, §10.2 */
static void accounts_are_hashed_with_name_and_key(void **state)
{
    (void)state;
    static const char prefix[] = "https://ca.example/account-hash/",
                      key[] = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    static const char account[] = "https://ca.example/acct/123";
    AUTO(arena) arena = arena_create(1 << 16);
    assert_string_equal(challenge_account_uri(arena, prefix, "example.com", key, account),
                        "https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw");
    assert_string_equal(challenge_account_uri(arena, prefix, "*", key, account),
                        "https://ca.example/account-hash/sha-256/NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug");
}

static void overlong_texts_have_no_hash(void **state)
{
    (void)state;
    static char name[257], account[4096];
    AUTO(arena) arena = arena_create(1 << 16);
    memset(name, 'a', sizeof name - 1);
    memset(account, 'a', sizeof account - 1);
    assert_null(challenge_account_uri(arena, "p", name, "key", "account"));
    assert_null(challenge_account_uri(arena, "p", "name", "key", account));
}

static void no_memory_gives_null(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(8);
    assert_null(key_authorization(arena, "token", "thumbprint"));
    assert_null(key_authorization_dns(arena, "token.thumbprint"));
    assert_null(challenge_account_uri(arena, "prefix", "name", "thumbprint", "account"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_types_are_each_others_inverse),
        cmocka_unit_test(what_is_offered_depends_on_the_identifier),
        cmocka_unit_test(only_dns_persist_has_no_token),
        cmocka_unit_test(names_of_txt_records),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(key_authorizations_join_token_and_thumbprint),
        cmocka_unit_test(accounts_are_hashed_with_name_and_key),
        cmocka_unit_test(overlong_texts_have_no_hash),
        cmocka_unit_test(no_memory_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
