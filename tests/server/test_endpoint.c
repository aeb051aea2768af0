#include "server/web/endpoint.h"
#include "tests/unit.h"

#include <string.h>

static void every_form_is_read(void **state)
{
    (void)state;
    struct endpoint endpoint;
    assert_true(endpoint_read("localhost:14000", &endpoint));
    assert_string_equal(endpoint.host, "localhost");
    assert_int_equal(endpoint.port, 14000);
    assert_false(endpoint.ipv6);
    assert_true(endpoint_read("[2001:db8::1]:0", &endpoint));
    assert_string_equal(endpoint.host, "2001:db8::1");
    assert_true(endpoint.ipv6);
    assert_true(endpoint_read("unix:/run/c.sock", &endpoint));
    assert_string_equal(endpoint.path, "/run/c.sock");
    assert_false(endpoint_is_everywhere(&endpoint));
}

static void everywhere_has_three_names(void **state)
{
    (void)state;
    static const char *const texts[] = { ":443", "0.0.0.0:443", "[::]:443" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct endpoint endpoint;
        assert_true(endpoint_read(texts[i], &endpoint));
        assert_true(endpoint_is_everywhere(&endpoint));
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",         ":",       "localhost", "a:",    "a:65536",       "a:-1",          "a:1x",
        "a:000080", "::1:443", "[]:1",      "[::1]", "[localhost]:1", "[127.0.0.1]:1", "[::1:1",
        "a b:1",    "a..b:1",  ".a:1",      "unix:"
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct endpoint endpoint = { .port = 7 };
        assert_false(endpoint_read(texts[i], &endpoint));
        assert_int_equal(endpoint.port, 7);
    }
}

static void names_keep_to_the_limits_of_dns(void **state)
{
    (void)state;
    char label[66];
    memset(label, 'a', sizeof label);
    label[64] = '\0';
    assert_false(dns_name_ok(label));
    label[63] = '\0';
    assert_true(dns_name_ok(label));
    assert_false(dns_name_ok(""));
    assert_false(dns_name_ok("a."));
    char name[256];
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    name[255] = '\0';
    assert_false(dns_name_ok(name));
    name[253] = '\0';
    assert_true(dns_name_ok(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(everywhere_has_three_names),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(names_keep_to_the_limits_of_dns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
