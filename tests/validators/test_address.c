#include "validators/address.h"

#include "tests/unit.h"

#include <netinet/in.h>

static void parses_what_inet_ntop_writes(void **state)
{
    (void)state;
    static const char *const good[] = { "127.0.0.1", "0.0.0.0",     "255.255.255.255", "::",
                                        "::1",       "2001:db8::1", "::ffff:192.0.2.1" };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct val_address address;
        char text[VAL_ADDRESS_SIZE];
        assert_true(val_address_parse(good[i], &address));
        assert_string_equal(val_address_text(&address, text), good[i]);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "a.test", "127.0.0", "127.0.0.1.", "127.0.0.256",  "127.0.0.1 ", "[::1]",
        "::1%lo", "1:2:3",  ":",       "0x7f.1",     "127.0.0.1:80", "::g",        "1:2:3:4:5:6:7:8:9"
    };
    struct val_address address;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(val_address_parse(bad[i], &address));
}

static void comes_from_4_or_16_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[17] = { 192, 0, 2, 1 };
    struct val_address address;
    for (size_t len = 0; len <= sizeof bytes; len++) {
        bool right = len == 4 || len == 16;
        assert_int_equal(val_address_from_bytes(bytes_of(bytes, len), &address), right);
        if (right)
            assert_true(bytes_equal(val_address_bytes(&address), bytes_of(bytes, len)));
    }
}

/* [8738-6-2] */
static void shows_endpoints_and_reverse_names(void **state)
{
    (void)state;
    struct val_address v4, v6;
    char endpoint[VAL_ENDPOINT_SIZE], arpa[VAL_ARPA_SIZE];
    assert_true(val_address_parse("192.0.2.1", &v4) && val_address_parse("2001:db8::1", &v6));
    assert_string_equal(val_endpoint_text(&v4, 80, endpoint), "192.0.2.1:80");
    assert_string_equal(val_endpoint_text(&v6, 65535, endpoint), "[2001:db8::1]:65535");
    assert_string_equal(val_address_arpa(&v4, arpa), "1.2.0.192.in-addr.arpa");
    assert_string_equal(val_address_arpa(&v6, arpa),
                        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

static void makes_socket_addresses(void **state)
{
    (void)state;
    struct val_address v4, v6;
    struct sockaddr_storage to;
    assert_true(val_address_parse("192.0.2.1", &v4) && val_address_parse("::1", &v6));
    assert_int_equal(val_address_socket(&v4, 5002, &to), sizeof(struct sockaddr_in));
    assert_int_equal(((struct sockaddr_in *)&to)->sin_port, htons(5002));
    assert_int_equal(((struct sockaddr_in *)&to)->sin_addr.s_addr, htonl(0xc0000201));
    assert_int_equal(val_address_socket(&v6, 5002, &to), sizeof(struct sockaddr_in6));
    assert_memory_equal(&((struct sockaddr_in6 *)&to)->sin6_addr, &in6addr_loopback, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_what_inet_ntop_writes), cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(comes_from_4_or_16_bytes),     cmocka_unit_test(shows_endpoints_and_reverse_names),
        cmocka_unit_test(makes_socket_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
