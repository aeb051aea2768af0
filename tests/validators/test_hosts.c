#include "validators/hosts.h"

#include "tests/unit.h"

static const char *const one[] = { "192.0.2.1" }, *const two[] = { "192.0.2.2", "::2" },
                         *const three[] = { "192.0.2.3" };
static const struct validators_host rows[] = {
    { "b.test", one, 1 },
    { "*.test", two, 2 },
    { "*.B.test", three, 1 },
    { "empty.test", NULL, 0 },
};

static struct val_hosts *make(void)
{
    struct val_hosts *hosts;
    char why[VALIDATORS_WHY_SIZE];
    assert_true(val_hosts_make(rows, ARRAY_SIZE(rows), &hosts, why));
    return hosts;
}

/* The last byte of the first address; 0 when the name has no row, 1000 when it has no address. */
static int found(const struct val_hosts *hosts, const char *name)
{
    const struct val_address *addresses;
    size_t count;
    if (!val_hosts_find(hosts, name, &addresses, &count))
        return 0;
    return count > 0 ? addresses[0].ip[3] : 1000;
}

static void nearest_row_counts(void **state)
{
    (void)state;
    AUTO(val_hosts) hosts = make();
    assert_int_equal(found(hosts, "b.test"), 1);
    assert_int_equal(found(hosts, "c.test"), 2);
    assert_int_equal(found(hosts, "x.b.test"), 3);
    assert_int_equal(found(hosts, "x.y.b.test"), 3);
    assert_int_equal(found(hosts, "x.c.test"), 2);
    assert_int_equal(found(hosts, "empty.test"), 1000);
}

static void other_names_have_none(void **state)
{
    (void)state;
    AUTO(val_hosts) hosts = make();
    static const char *const names[] = { "", "test", "atest", "b.test.example", "example", "." };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(found(hosts, names[i]), 0);
}

static void an_empty_map_finds_nothing(void **state)
{
    (void)state;
    struct val_hosts *made;
    char why[VALIDATORS_WHY_SIZE];
    assert_true(val_hosts_make(NULL, 0, &made, why));
    AUTO(val_hosts) hosts = made;
    assert_int_equal(found(hosts, "b.test"), 0);
}

static void addresses_must_be_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = { "192.0.2.1", "192.0.2.1:80" };
    const struct validators_host row = { "a.test", bad, 2 };
    struct val_hosts *hosts;
    char why[VALIDATORS_WHY_SIZE];
    assert_false(val_hosts_make(&row, 1, &hosts, why));
    assert_string_equal(why, "dns.hosts: a.test: an IP address is expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_row_counts),
        cmocka_unit_test(other_names_have_none),
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(addresses_must_be_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
