#include "tests/unit.h"

#include "validators/reserved.h"

#include <stdio.h>

static struct val_reserve *make(const char *const *allowed, size_t count)
{
    struct val_reserve *reserve;
    char why[VALIDATORS_WHY_SIZE] = "";
    bool ok = val_reserve_make(allowed, count, &reserve, why);
    assert_string_equal(why, "");
    assert_true(ok);
    return reserve;
}

static const char *judge(const struct val_reserve *reserve, const char *text)
{
    struct val_address address;
    assert_true(val_address_parse(text, &address));
    enum val_reserved kind = val_reserve_judge(reserve, &address);
    return kind == VAL_RESERVED_GLOBAL ? "" : val_reserved_word(kind);
}

struct row {
    const char *address, *word; /* "" for addresses of the internet */
};

static void expect(const struct val_reserve *reserve, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(judge(reserve, rows[i].address), rows[i].word) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].address, judge(reserve, rows[i].address), rows[i].word);
}

/* first and last addresses of the registries' rows, and their neighbours */
static const struct row registry[] = {
    { "0.0.0.0", "unspecified" },
    { "0.255.255.255", "unspecified" },
    { "1.0.0.0", "" },
    { "9.255.255.255", "" },
    { "10.0.0.0", "private" },
    { "10.255.255.255", "private" },
    { "11.0.0.0", "" },
    { "100.63.255.255", "" },
    { "100.64.0.0", "shared" },
    { "100.127.255.255", "shared" },
    { "100.128.0.0", "" },
    { "100.100.100.200", "metadata" },
    { "127.0.0.0", "loopback" },
    { "127.255.255.255", "loopback" },
    { "128.0.0.0", "" },
    { "169.253.255.255", "" },
    { "169.254.0.0", "link-local" },
    { "169.254.169.254", "metadata" },
    { "169.254.255.255", "link-local" },
    { "172.15.255.255", "" },
    { "172.16.0.0", "private" },
    { "172.31.255.255", "private" },
    { "172.32.0.0", "" },
    { "192.0.0.0", "protocol" },
    { "192.0.0.9", "" },
    { "192.0.0.255", "protocol" },
    { "192.0.1.0", "" },
    { "192.0.2.255", "documentation" },
    { "192.88.99.1", "tunnel" },
    { "192.167.255.255", "" },
    { "192.168.0.0", "private" },
    { "192.168.255.255", "private" },
    { "192.169.0.0", "" },
    { "198.17.255.255", "" },
    { "198.18.0.0", "benchmark" },
    { "198.19.255.255", "benchmark" },
    { "198.20.0.0", "" },
    { "198.51.100.7", "documentation" },
    { "203.0.113.7", "documentation" },
    { "223.255.255.255", "" },
    { "224.0.0.0", "multicast" },
    { "239.255.255.255", "multicast" },
    { "240.0.0.0", "protocol" },
    { "255.255.255.255", "protocol" },
    { "::", "unspecified" },
    { "::1", "loopback" },
    { "::2", "protocol" },
    { "::7f00:1", "protocol" },
    { "::ffff:8.8.8.8", "mapped" },
    { "::ffff:127.0.0.1", "mapped" },
    { "64:ff9b::8.8.8.8", "" },
    { "64:ff9b::127.0.0.1", "loopback" },
    { "64:ff9b::10.0.0.1", "private" },
    { "64:ff9b::169.254.169.254", "metadata" },
    { "64:ff9b:1::1", "tunnel" },
    { "100::1", "protocol" },
    { "1fff:ffff::1", "protocol" },
    { "2000::1", "" },
    { "2001::1", "tunnel" },
    { "2001:1::1", "" },
    { "2001:1::4", "protocol" },
    { "2001:2::1", "benchmark" },
    { "2001:3::1", "" },
    { "2001:4:112::1", "" },
    { "2001:10::1", "protocol" },
    { "2001:20::1", "" },
    { "2001:30::1", "" },
    { "2001:1ff::1", "protocol" },
    { "2001:200::1", "" },
    { "2001:db8::1", "documentation" },
    { "2001:db9::1", "" },
    { "2002:808:808::1", "tunnel" },
    { "2002:7f00:1::1", "tunnel" },
    { "2620:4f:8000::1", "" },
    { "3fff::1", "documentation" },
    { "3fff:1000::1", "" },
    { "4000::1", "protocol" },
    { "5f00::1", "protocol" },
    { "fbff::1", "protocol" },
    { "fc00::1", "private" },
    { "fd00::1", "private" },
    { "fd00:ec2::254", "metadata" },
    { "fe00::1", "protocol" },
    { "fe80::1", "link-local" },
    { "febf::1", "link-local" },
    { "fec0::1", "protocol" },
    { "ff02::1", "multicast" },
};

static void the_registries(void **state)
{
    (void)state;
    AUTO(val_reserve) reserve = make(NULL, 0);
    expect(reserve, registry, ARRAY_SIZE(registry));
}

static void words_allow(void **state)
{
    (void)state;
    static const char *const allowed[] = { "loopback", "private", "mapped", "tunnel" };
    static const struct row rows[] = {
        { "127.0.0.1", "" },
        { "::1", "" },
        { "10.0.0.1", "" },
        { "fd00::1", "" },
        { "fd00:ec2::254", "metadata" }, /* inside the private range, but of its own kind */
        { "169.254.1.1", "link-local" },
        { "::ffff:10.0.0.1", "" },
        { "::ffff:127.0.0.1", "" },
        { "::ffff:169.254.169.254", "metadata" },
        { "2002:a00:1::1", "" },
        { "2002:a9fe:a9fe::1", "metadata" },
        { "64:ff9b::10.0.0.1", "" },
    };
    AUTO(val_reserve) reserve = make(allowed, ARRAY_SIZE(allowed));
    expect(reserve, rows, ARRAY_SIZE(rows));
}

static void networks_allow(void **state)
{
    (void)state;
    static const char *const allowed[] = { "169.254.0.0/16", "10.1.2.3", "192.168.4.0/23", "fd00:1::/33" };
    static const struct row rows[] = {
        { "169.254.169.254", "" },    { "10.1.2.3", "" },      { "10.1.2.2", "private" },      { "192.168.5.255", "" },
        { "192.168.6.0", "private" }, { "fd00:1:7fff::", "" }, { "fd00:1:8000::", "private" },
    };
    AUTO(val_reserve) reserve = make(allowed, ARRAY_SIZE(allowed));
    expect(reserve, rows, ARRAY_SIZE(rows));
    AUTO(val_reserve) everything = make((const char *const[]) { "0.0.0.0/0" }, 1);
    assert_string_equal(judge(everything, "127.0.0.1"), "");
    assert_string_equal(judge(everything, "::1"), "loopback");
}

/* Loopback has its own word; the machine's other addresses are found wherever they are. */
static void own_addresses(void **state)
{
    (void)state;
    AUTO(val_reserve) without = make((const char *const[]) { "loopback", "private" }, 2);
    AUTO(val_reserve) with = make((const char *const[]) { "loopback", "private", "self" }, 3);
    assert_string_equal(judge(without, "127.0.0.1"), "");
    assert_string_equal(judge(with, "127.0.0.1"), "");
    assert_string_equal(judge(without, "10.254.253.252"), "");
}

static void what_is_no_network(void **state)
{
    (void)state;
    static const char *const texts[] = { "",         "local",  "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                         "10.0.0/8", "::/129", "::/ 1",       "/8",        "10.0.0.0/8x",
                                         "LOOPBACK", "127.1",  "10.0.0.0/8/8" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct val_reserve *reserve;
        char why[VALIDATORS_WHY_SIZE] = "";
        assert_false(val_reserve_make(&texts[i], 1, &reserve, why));
        assert_non_null(strstr(why, "is neither a network nor one of loopback private self"));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registries), cmocka_unit_test(words_allow),        cmocka_unit_test(networks_allow),
        cmocka_unit_test(own_addresses),  cmocka_unit_test(what_is_no_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
