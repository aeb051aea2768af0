#include "base/buf.h"
#include "server/web/forwarded.h"
#include "tests/unit.h"

#include <stdio.h>

static const char *proxies[] = { "127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48" };
static const struct settings settings = { .trusted_proxies = { proxies, ARRAY_SIZE(proxies) } };

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_create(1 << 20);
    return arena == NULL;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_drop(arena);
    return 0;
}

static struct forwarded resolve(const char *peer, struct forwarded_headers headers)
{
    struct forwarded forwarded = { .peer = peer, .proto = "http" };
    assert_true(forwarded_resolve(arena, &settings, &headers, &forwarded));
    return forwarded;
}

static const char *client_by_forwarded(const char *header)
{
    return resolve("127.0.0.1", (struct forwarded_headers) { .forwarded = header }).peer;
}

static const char *client_by_list(const char *header)
{
    return resolve("127.0.0.1", (struct forwarded_headers) { .x_for = header }).peer;
}

static void assert_says(struct forwarded forwarded, const char *peer, const char *proto, const char *host)
{
    assert_string_equal(forwarded.peer, peer);
    assert_string_equal(forwarded.proto, proto);
    assert_true((host == NULL) == (forwarded.host == NULL));
    if (host != NULL)
        assert_string_equal(forwarded.host, host);
}

static void without_headers_the_connection_speaks(void **state)
{
    (void)state;
    assert_says(resolve("127.0.0.1", (struct forwarded_headers) { 0 }), "127.0.0.1", "http", NULL);
    assert_says(resolve("192.0.2.1", (struct forwarded_headers) { .host = "ca.example:14000" }), "192.0.2.1", "http",
                "ca.example:14000");
}

static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    static const char *const strangers[] = { "192.0.2.1", "11.0.0.1", "::1", "2001:db8:fffe::1", "local", "unknown" };
    struct forwarded_headers all = {
        .forwarded = "for=198.51.100.1;proto=https;host=evil.example",
        .x_for = "198.51.100.1",
        .x_proto = "https",
        .x_host = "evil.example",
        .host = "ca.example",
    };
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        assert_says(resolve(strangers[i], all), strangers[i], "http", "ca.example");
    all.forwarded = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        assert_says(resolve(strangers[i], all), strangers[i], "http", "ca.example");
}

static void a_proxy_speaks_by_either_kind_of_header(void **state)
{
    (void)state;
    struct forwarded_headers x = { .x_for = "192.0.2.1", .x_proto = "https", .x_host = "ca.example", .host = "inside" };
    struct forwarded_headers rfc = { .forwarded = "for=192.0.2.1;proto=https;host=ca.example", .host = "inside" };
    assert_says(resolve("127.0.0.1", x), "192.0.2.1", "https", "ca.example");
    assert_says(resolve("10.9.8.7", rfc), "192.0.2.1", "https", "ca.example");
    assert_says(resolve("2001:db8:ffff::1", rfc), "192.0.2.1", "https", "ca.example");
    assert_says(resolve("::ffff:10.0.0.1", rfc), "192.0.2.1", "https", "ca.example");
}

static void what_is_not_said_stays(void **state)
{
    (void)state;
    struct forwarded_headers only_for = { .forwarded = "for=192.0.2.1", .host = "inside" };
    struct forwarded_headers only_proto = { .x_proto = "https", .host = "inside" };
    struct forwarded_headers only_host = { .forwarded = "host=ca.example" };
    assert_says(resolve("127.0.0.1", only_for), "192.0.2.1", "http", "inside");
    assert_says(resolve("127.0.0.1", only_proto), "127.0.0.1", "https", "inside");
    assert_says(resolve("127.0.0.1", only_host), "127.0.0.1", "http", "ca.example");
}

/* Whoever knows RFC 7239 only does not clean the other headers of what his client wrote there. */
static void forwarded_alone_counts_where_it_is(void **state)
{
    (void)state;
    struct forwarded_headers both = {
        .forwarded = "for=192.0.2.1", .x_for = "198.51.100.1", .x_proto = "https", .x_host = "evil.example"
    };
    assert_says(resolve("127.0.0.1", both), "192.0.2.1", "http", NULL);
    both.forwarded = "for=\"";
    assert_says(resolve("127.0.0.1", both), "127.0.0.1", "http", NULL);
}

static void the_client_is_the_first_stranger_from_the_right(void **state)
{
    (void)state;
    assert_string_equal(client_by_list("198.51.100.1, 192.0.2.1"), "192.0.2.1");
    assert_string_equal(client_by_list("198.51.100.1,192.0.2.1 , 10.0.0.7"), "192.0.2.1");
    assert_string_equal(client_by_list("10.0.0.1, 192.0.2.1, 10.0.0.7"), "192.0.2.1");
    assert_string_equal(client_by_list("10.0.0.1, 10.0.0.7"), "10.0.0.1");
    assert_string_equal(client_by_forwarded("for=198.51.100.1, for=192.0.2.1"), "192.0.2.1");
    assert_string_equal(client_by_forwarded("for=198.51.100.1,for=192.0.2.1,for=10.0.0.7"), "192.0.2.1");
    assert_string_equal(client_by_forwarded("for=198.51.100.1, for=192.0.2.1, proto=https"), "127.0.0.1");
}

/* The inner proxy was asked over http by the outer one; the client asked the outer one over https. */
static void scheme_and_name_are_those_the_client_used(void **state)
{
    (void)state;
    struct forwarded_headers chain = {
        .forwarded = "for=198.51.100.1;host=evil.example;proto=http, for=192.0.2.1;proto=https;host=ca.example, "
                     "for=10.0.0.7;proto=http;host=inside"
    };
    assert_says(resolve("127.0.0.1", chain), "192.0.2.1", "https", "ca.example");
    struct forwarded_headers lists = { .x_for = "192.0.2.1",
                                       .x_proto = "http, https",
                                       .x_host = "evil.example,\tca.example" };
    assert_says(resolve("127.0.0.1", lists), "192.0.2.1", "https", "ca.example");
}

static void addresses_come_in_many_dresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *address;
    } cases[] = {
        { "192.0.2.43", "192.0.2.43" },
        { "192.0.2.43:47011", "192.0.2.43" },
        { "192.0.2.43:_obfuscated", "192.0.2.43" },
        { "\"192.0.2.43:47011\"", "192.0.2.43" },
        { "\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17" },
        { "\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17" },
        { "[2001:db8:cafe::17]:4711", "2001:db8:cafe::17" },
        { "2001:db8:cafe::17", "2001:db8:cafe::17" },
        { "\"192.0.2\\.43\"", "192.0.2.43" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char header[128];
        snprintf(header, sizeof header, "FOR=%s ; proto=https", cases[i].text);
        assert_string_equal(client_by_forwarded(header), cases[i].address);
    }
    assert_string_equal(client_by_list(" 192.0.2.43:47011 "), "192.0.2.43");
    assert_string_equal(client_by_list("[2001:db8:cafe::17]:4711"), "2001:db8:cafe::17");
    assert_string_equal(client_by_list("2001:db8:cafe::17"), "2001:db8:cafe::17");
}

static void what_is_no_address_leaves_the_nearest_known_one(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "unknown",
        "_hidden",
        "_SEVKISEK",
        "ca.example",
        "192.0.2",
        "[192.0.2.1]",
        "[2001:db8::1",
        "192.0.2.1:",
        "192.0.2.1:80:",
        "[]",
        ":80",
        "[2001:db8::1]x",
        "[2001:db8::1]:",
        "192.0.2.1/24",
        "192.0.2.1 x",
        "::1%lo",
        "[",
        "]",
        "192.0.2.1:<script>",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char list[128], forwarded[128];
        snprintf(list, sizeof list, "198.51.100.1, %s, 10.0.0.7", texts[i]);
        snprintf(forwarded, sizeof forwarded, "for=198.51.100.1, for=\"%s\", for=10.0.0.7", texts[i]);
        assert_string_equal(client_by_list(list), "10.0.0.7");
        assert_string_equal(client_by_forwarded(forwarded), "10.0.0.7");
    }
}

/* A quoted comma or semicolon ends nothing. */
static void quotes_hold_their_content_together(void **state)
{
    (void)state;
    assert_string_equal(client_by_forwarded("for=192.0.2.1;by=\"a,for=198.51.100.1\""), "192.0.2.1");
    assert_string_equal(client_by_forwarded("for=192.0.2.1;by=\"a;for=198.51.100.1\""), "192.0.2.1");
    assert_string_equal(client_by_forwarded("for=192.0.2.1;by=\"\\\",for=198.51.100.1\""), "192.0.2.1");
    struct forwarded_headers host = { .forwarded = "for=192.0.2.1;host=\"ca.example;proto=https\"" };
    assert_says(resolve("127.0.0.1", host), "192.0.2.1", "http", NULL);
}

static void empty_members_of_lists_are_nothing(void **state)
{
    (void)state;
    assert_string_equal(client_by_list(", 192.0.2.1,, 10.0.0.7 ,"), "192.0.2.1");
    assert_string_equal(client_by_forwarded(",for=192.0.2.1;;proto=http;,, ,for=10.0.0.7;"), "192.0.2.1");
    assert_string_equal(client_by_list(""), "127.0.0.1");
    assert_string_equal(client_by_list(" ,"), "127.0.0.1");
    assert_string_equal(client_by_forwarded(""), "127.0.0.1");
}

static void a_malformed_header_says_nothing(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "for=192.0.2.1;for=192.0.2.2",
        "for=\"192.0.2.1",
        "for=\"192.0.2.1\\",
        "for=\"192.0.2.1\"x",
        "for 192.0.2.1",
        "for=192.0.2.1 proto=https",
        "for=192.0.2.1;proto",
        "for=192.0.2.1;=https",
        "=",
        "for=192.0.2.1;\"proto\"=https",
    };
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        assert_says(resolve("127.0.0.1", (struct forwarded_headers) { .forwarded = headers[i] }), "127.0.0.1", "http",
                    NULL);
}

static void schemes_other_than_two_are_ignored(void **state)
{
    (void)state;
    static const char *const schemes[] = { "ftp", "httpss", "http:", "javascript", "" };
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        struct forwarded_headers headers = { .x_proto = schemes[i] };
        assert_says(resolve("127.0.0.1", headers), "127.0.0.1", "http", NULL);
    }
    assert_says(resolve("127.0.0.1", (struct forwarded_headers) { .x_proto = "HTTPS" }), "127.0.0.1", "https", NULL);
}

static void only_plain_hosts_get_into_urls(void **state)
{
    (void)state;
    static const char *const hosts[] = { "",       "ca example", "ca.example/x", "user@ca.example",      "ca.example?",
                                         "ca\"ex", "<ca>",       "ca.example#",  "b\303\274cher.example" };
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
        assert_says(resolve("192.0.2.1", (struct forwarded_headers) { .host = hosts[i] }), "192.0.2.1", "http", NULL);
        struct forwarded_headers headers = { .x_host = hosts[i], .host = "inside" };
        assert_says(resolve("127.0.0.1", headers), "127.0.0.1", "http", "inside");
    }
    assert_says(resolve("192.0.2.1", (struct forwarded_headers) { .host = "[2001:db8::1]:14000" }), "192.0.2.1", "http",
                "[2001:db8::1]:14000");
}

/* Whoever fills the list cannot push the proxies' own words out of it. */
static void of_a_long_list_the_near_end_counts(void **state)
{
    (void)state;
    AUTO_BUF(list, 4096);
    AUTO_BUF(forwarded, 4096);
    for (int i = 0; i < 100; i++) {
        buf_text(&list, "198.51.100.1,");
        buf_text(&forwarded, "for=198.51.100.1,");
    }
    buf_text(&list, "192.0.2.1, 10.0.0.7");
    buf_text(&forwarded, "for=192.0.2.1, for=10.0.0.7");
    assert_string_equal(client_by_list(buf_str(&list)), "192.0.2.1");
    assert_string_equal(client_by_forwarded(buf_str(&forwarded)), "192.0.2.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_headers_the_connection_speaks),
        cmocka_unit_test(a_stranger_is_not_believed),
        cmocka_unit_test(a_proxy_speaks_by_either_kind_of_header),
        cmocka_unit_test(what_is_not_said_stays),
        cmocka_unit_test(forwarded_alone_counts_where_it_is),
        cmocka_unit_test(the_client_is_the_first_stranger_from_the_right),
        cmocka_unit_test(scheme_and_name_are_those_the_client_used),
        cmocka_unit_test(addresses_come_in_many_dresses),
        cmocka_unit_test(what_is_no_address_leaves_the_nearest_known_one),
        cmocka_unit_test(quotes_hold_their_content_together),
        cmocka_unit_test(empty_members_of_lists_are_nothing),
        cmocka_unit_test(a_malformed_header_says_nothing),
        cmocka_unit_test(schemes_other_than_two_are_ignored),
        cmocka_unit_test(only_plain_hosts_get_into_urls),
        cmocka_unit_test(of_a_long_list_the_near_end_counts),
    };
    return cmocka_run_group_tests(tests, open_arena, drop_arena);
}
