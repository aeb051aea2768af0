#include "test-client/listen_address.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        { ":8053", "", 8053 },
        { "127.0.0.1:80", "127.0.0.1", 80 },
        { "[::1]:0", "::1", 0 },
        { "localhost:65535", "localhost", 65535 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct listen_address address;
        char why[LISTEN_WHY_SIZE], text[LISTEN_TEXT_SIZE];
        assert_true(listen_address_parse(rows[i].text, &address, why));
        assert_string_equal(address.host, rows[i].host);
        assert_int_equal(address.port, rows[i].port);
        listen_address_text(&address, address.port, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_wrong_forms(void **state)
{
    (void)state;
    static const char *const rows[] = { "",    "8053",   "localhost", ":",      ":http", ":65536",
                                        ":-1", "::1:80", "[]:80",     "a:b:80", ":80 ",  ":123456789012" };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct listen_address address;
        char why[LISTEN_WHY_SIZE] = "";
        assert_false(listen_address_parse(rows[i], &address, why));
        assert_non_null(strstr(why, "is no address to listen on"));
    }
    char host[LISTEN_HOST_SIZE + 8];
    memset(host, 'a', sizeof host);
    memcpy(host + LISTEN_HOST_SIZE, ":80", 4);
    struct listen_address address;
    char why[LISTEN_WHY_SIZE];
    assert_false(listen_address_parse(host, &address, why));
}

static void test_resolving(void **state)
{
    (void)state;
    struct sockaddr_storage resolved;
    char why[LISTEN_WHY_SIZE];
    assert_true(listen_address_resolve(&(struct listen_address) { "127.0.0.1", 53 }, &resolved, why));
    assert_int_equal(resolved.ss_family, AF_INET);
    assert_int_equal(listen_port_of(&resolved), 53);
    assert_true(listen_address_resolve(&(struct listen_address) { "::1", 54 }, &resolved, why));
    assert_int_equal(resolved.ss_family, AF_INET6);
    assert_int_equal(listen_port_of(&resolved), 54);
    assert_true(listen_address_resolve(&(struct listen_address) { "", 55 }, &resolved, why));
    assert_int_equal(listen_port_of(&resolved), 55);
    assert_false(listen_address_resolve(&(struct listen_address) { "no host", 1 }, &resolved, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_wrong_forms),
        cmocka_unit_test(test_resolving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
