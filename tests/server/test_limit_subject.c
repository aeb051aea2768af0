/* Who and what is counted together: callers by address, IPv6 network and through proxies; names by registered domain.
 */
#include "server/limits/limit_subject.h"

#include "server/web/forwarded.h"
#include "server/limits/limit.h"
#include "tests/server/settings_help.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(1 << 20);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(arena);
    return 0;
}

static void callers_are_addresses_and_networks(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *caller, *network;
        bool v6;
    } cases[] = {
        { "192.0.2.1", "192.0.2.1", "192.0.2.1", false },
        { "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", false },
        { "::FFFF:c000:201", "192.0.2.1", "192.0.2.1", false },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48", true },
        { "2001:DB8:0001:2::1", "2001:db8:1:2::/64", "2001:db8:1::/48", true },
        { "2001:db8:1::", "2001:db8:1::/64", "2001:db8:1::/48", true },
        { "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8:1:ffff::/64", "2001:db8:1::/48", true },
        { "fe80::1%eth0", "fe80::/64", "fe80::/48", true },
        { "unknown", "unknown", "unknown", false },
        { "local", "local", "local", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_string_equal(limit_caller(arena, cases[i].peer, CALLER_BITS), cases[i].caller);
        assert_string_equal(limit_caller(arena, cases[i].peer, CALLER_NETWORK_BITS), cases[i].network);
        assert_int_equal(limit_caller_is_v6(limit_caller(arena, cases[i].peer, CALLER_BITS)), cases[i].v6);
    }
}

static void loopback_has_several_forms(void **state)
{
    (void)state;
    static const char *const own[] = { "127.0.0.1", "127.255.0.7", "::1", "::ffff:127.0.0.1", "local" };
    static const char *const others[] = { "128.0.0.1", "::2", "192.0.2.1", "::ffff:192.0.2.1", "unknown", "" };
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        assert_true(limit_caller_is_loopback(own[i]));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(limit_caller_is_loopback(others[i]));
}

static const char *caller_through(const char *proxies, const char *peer, const char *forwarded, const char *x_for)
{
    AUTO(settings) settings = set_good("trusted-proxies", proxies);
    const struct forwarded_headers headers = { .forwarded = forwarded, .x_for = x_for, .host = "ca.example" };
    struct forwarded origin = { .peer = peer, .proto = "https" };
    assert_true(forwarded_resolve(arena, settings, &headers, &origin));
    return limit_caller(arena, origin.peer, CALLER_BITS);
}

static void a_trusted_proxy_says_who_asks_and_nobody_else_does(void **state)
{
    (void)state;
    static const struct {
        const char *proxies, *peer, *forwarded, *x_for, *caller;
    } cases[] = {
        { "10.0.0.0/8", "10.0.0.1", NULL, "192.0.2.1", "192.0.2.1" },
        { "10.0.0.0/8", "10.0.0.1", NULL, "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1" },
        { "10.0.0.0/8", "10.0.0.1", "for=192.0.2.1", "203.0.113.9", "192.0.2.1" },
        { "10.0.0.0/8", "10.0.0.1", "for=\"[2001:db8:1:2::7]:4711\"", NULL, "2001:db8:1:2::/64" },
        { "10.0.0.0/8", "10.0.0.1", NULL, "2001:DB8:1:2:9::7", "2001:db8:1:2::/64" },
        { "10.0.0.0/8", "10.0.0.1", NULL, "::ffff:192.0.2.1", "192.0.2.1" },
        { "10.0.0.0/8", "10.0.0.1", "for=unknown", NULL, "10.0.0.1" },
        { "10.0.0.0/8", "10.0.0.1", NULL, NULL, "10.0.0.1" },
        { "10.0.0.0/8", "198.51.100.1", NULL, "192.0.2.1", "198.51.100.1" },
        { "10.0.0.0/8", "198.51.100.1", "for=192.0.2.1", NULL, "198.51.100.1" },
        { "", "10.0.0.1", NULL, "192.0.2.1", "10.0.0.1" },
        { "2001:db8:f::/48", "2001:db8:f::1", NULL, "192.0.2.1", "192.0.2.1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(caller_through(cases[i].proxies, cases[i].peer, cases[i].forwarded, cases[i].x_for),
                            cases[i].caller);
}

static void names_count_for_their_registered_domain(void **state)
{
    (void)state;
    static const struct {
        const char *name, *domain;
    } cases[] = {
        { "example.com", "example.com" },
        { "a.b.example.com", "example.com" },
        { "*.example.com", "example.com" },
        { "www.foo.co.uk", "foo.co.uk" },
        { "co.uk", "co.uk" },               /* a public suffix counts for itself */
        { "me.github.io", "me.github.io" }, /* a private one of the list */
        { "a.me.github.io", "me.github.io" },
        { "www.city.kawasaki.jp", "city.kawasaki.jp" },
        { "a.b.test", "b.test" }, /* a suffix that the list does not know is one label */
        { "localhost", "localhost" },
        { "xn--bcher-kva.example.com", "example.com" },
        { "192.0.2.1", "192.0.2.1" },
        { "2001:db8:1:2:3::4", "2001:db8:1:2::/64" },
    };
    char why[IDENTIFIER_WHY_SIZE];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identifiers names;
        assert_true(limit_names_read(arena, cases[i].name, &names, why));
        assert_string_equal(limit_domain(arena, &names.items[0]), cases[i].domain);
    }
}

static void a_list_of_names_is_sorted_and_single(void **state)
{
    (void)state;
    struct identifiers names;
    char why[IDENTIFIER_WHY_SIZE];
    assert_true(limit_names_read(arena, "b.test,A.test,b.test,192.0.2.1", &names, why));
    assert_int_equal(names.count, 3);
    assert_string_equal(limit_set_shown(arena, &names), "a.test, b.test, 192.0.2.1");
    static const char *const bad[] = { "", ",", "a.test,", "a_b.test", "a.test, b.test" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(limit_names_read(arena, bad[i], &names, why));
}

static void a_long_list_is_cut_for_people(void **state)
{
    (void)state;
    AUTO_BUF(text, 4096);
    struct identifiers names;
    char why[IDENTIFIER_WHY_SIZE];
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "%sname-%02d.example.com", i > 0 ? "," : "", i);
    assert_true(limit_names_read(arena, buf_str(&text), &names, why));
    assert_string_equal(limit_set_shown(arena, &names), "name-00.example.com and 99 more");
}

static void the_set_is_the_same_in_any_order(void **state)
{
    (void)state;
    const char *a, *b, *c;
    char why[LIMIT_WHY_SIZE];
    assert_true(limit_subject_read(arena, LIMIT_CERTIFICATES_PER_SET, "b.test,a.test", &a, why));
    assert_true(limit_subject_read(arena, LIMIT_CERTIFICATES_PER_SET, "A.test,B.TEST", &b, why));
    assert_true(limit_subject_read(arena, LIMIT_CERTIFICATES_PER_SET, "a.test,b.test,c.test", &c, why));
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_are_addresses_and_networks),
        cmocka_unit_test(loopback_has_several_forms),
        cmocka_unit_test(a_trusted_proxy_says_who_asks_and_nobody_else_does),
        cmocka_unit_test(names_count_for_their_registered_domain),
        cmocka_unit_test(a_list_of_names_is_sorted_and_single),
        cmocka_unit_test(a_long_list_is_cut_for_people),
        cmocka_unit_test(the_set_is_the_same_in_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
