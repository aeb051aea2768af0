#include "server/web/network.h"
#include "tests/unit.h"

static void assert_holds(const char *text, const char *address, bool held)
{
    struct network network;
    assert_true(network_read(text, &network));
    if (network_holds(&network, address) != held)
        fail_msg("%s and %s", text, address);
}

static void a_network_holds_what_shares_its_leading_bits(void **state)
{
    (void)state;
    assert_holds("10.0.0.0/8", "10.0.0.0", true);
    assert_holds("10.0.0.0/8", "10.255.255.255", true);
    assert_holds("10.0.0.0/8", "11.0.0.0", false);
    assert_holds("10.0.0.0/8", "9.255.255.255", false);
    assert_holds("192.0.2.128/25", "192.0.2.255", true);
    assert_holds("192.0.2.128/25", "192.0.2.127", false);
    assert_holds("2001:db8::/33", "2001:db8:7fff::1", true);
    assert_holds("2001:db8::/33", "2001:db8:8000::1", false);
}

static void an_address_alone_holds_itself(void **state)
{
    (void)state;
    assert_holds("192.0.2.1", "192.0.2.1", true);
    assert_holds("192.0.2.1", "192.0.2.0", false);
    assert_holds("192.0.2.1/32", "192.0.2.1", true);
    assert_holds("::1", "::1", true);
    assert_holds("::1", "::", false);
    assert_holds("::1/128", "0:0:0:0:0:0:0:1", true);
}

static void everything_is_two_networks(void **state)
{
    (void)state;
    assert_holds("0.0.0.0/0", "203.0.113.7", true);
    assert_holds("0.0.0.0/0", "2001:db8::1", false);
    assert_holds("::/0", "2001:db8::1", true);
    assert_holds("::/0", "203.0.113.7", true);
}

/* A listener for both families reports IPv4 peers in the mapped form. */
static void mapped_addresses_are_ipv4(void **state)
{
    (void)state;
    assert_holds("10.0.0.0/8", "::ffff:10.1.2.3", true);
    assert_holds("10.0.0.0/8", "::ffff:11.1.2.3", false);
    assert_holds("::ffff:10.0.0.0/104", "10.1.2.3", true);
    assert_holds("::ffff:10.0.0.0/104", "11.1.2.3", false);
}

static void what_is_no_address_lies_nowhere(void **state)
{
    (void)state;
    static const char *const texts[] = { "",      "local",      "unknown",      "10.0.0",    "10.0.0.1:80",
                                         "[::1]", "10.0.0.1/8", "fe80::1%eth0", " 10.0.0.1", "010.0.0.1" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_holds("0.0.0.0/0", texts[i], false);
        assert_holds("::/0", texts[i], false);
    }
}

static void bad_networks_are_refused_and_leave_the_output(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/0008",
        "10.0.0.0/8/8",
        "10.0.0.0/a",
        "::/129",
        "10.0.0/8",
        "example.com",
        "10.0.0.1/8",
        "192.0.2.129/25",
        "2001:db8::1/64",
        "10.0.0.1/0",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct network network = { .bits = 7 };
        if (network_read(texts[i], &network))
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(network.bits, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_holds_what_shares_its_leading_bits),
        cmocka_unit_test(an_address_alone_holds_itself),
        cmocka_unit_test(everything_is_two_networks),
        cmocka_unit_test(mapped_addresses_are_ipv4),
        cmocka_unit_test(what_is_no_address_lies_nowhere),
        cmocka_unit_test(bad_networks_are_refused_and_leave_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
