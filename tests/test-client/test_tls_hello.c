#include "test-client/tls_hello.h"

#include "tests/unit.h"

#define BYTES(text) bytes_of((text), sizeof(text) - 1)

static void test_server_name(void **state)
{
    (void)state;
    struct bytes name;
    assert_true(tls_hello_server_name(BYTES("\0\x09\0\0\x06"
                                            "a.test"),
                                      &name));
    assert_true(bytes_equal_text(name, "a.test"));
}

static void test_what_is_no_server_name(void **state)
{
    (void)state;
    static const struct bytes extensions[] = {
        { (const uint8_t *)"", 0 },                      /* none */
        { (const uint8_t *)"\0\0", 2 },                  /* an empty list */
        { (const uint8_t *)"\0\x03\0\0\0", 5 },          /* an empty name */
        { (const uint8_t *)"\0\x04\1\0\1a", 6 },         /* of another kind */
        { (const uint8_t *)"\0\x04\0\0\1ab", 7 },        /* something behind the list */
        { (const uint8_t *)"\0\x05\0\0\1ab", 7 },        /* something behind the name */
        { (const uint8_t *)"\0\x08\0\0\1a\0\0\1b", 10 }, /* two names */
        { (const uint8_t *)"\xff\xff\0\0\1a", 6 },
    };
    struct bytes name;
    for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
        assert_false(tls_hello_server_name(extensions[i], &name));
    static const char whole[] = "\0\x09\0\0\x06"
                                "a.test";
    for (size_t len = 0; len < sizeof whole - 1; len++)
        assert_false(tls_hello_server_name(bytes_of(whole, len), &name));
}

static void test_protocols(void **state)
{
    (void)state;
    struct bytes list, name;
    assert_true(tls_hello_protocols(BYTES("\0\x0e\x02h2\x0a"
                                          "acme-tls/1"),
                                    &list));
    assert_true(tls_hello_next_protocol(&list, &name) && bytes_equal_text(name, "h2"));
    assert_true(tls_hello_next_protocol(&list, &name) && bytes_equal_text(name, "acme-tls/1"));
    assert_false(tls_hello_next_protocol(&list, &name));
}

static void test_what_is_no_list_of_protocols(void **state)
{
    (void)state;
    struct bytes list, name;
    assert_false(tls_hello_protocols(BYTES(""), &list));
    assert_false(tls_hello_protocols(BYTES("\0"), &list));
    assert_false(tls_hello_protocols(BYTES("\0\0"), &list));
    assert_false(tls_hello_protocols(BYTES("\0\x03\x02h2!"), &list));
    assert_false(tls_hello_protocols(BYTES("\0\x04\x02h2"), &list));
    assert_true(tls_hello_protocols(BYTES("\0\x02\x02h"), &list)); /* the name is cut */
    assert_false(tls_hello_next_protocol(&list, &name));
    assert_true(tls_hello_protocols(BYTES("\0\x01\0"), &list)); /* the name is empty */
    assert_false(tls_hello_next_protocol(&list, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_what_is_no_server_name),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_what_is_no_list_of_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
