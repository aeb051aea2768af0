#include "test-client/dns_nsec.h"

#include "base/encode.h"
#include "tests/unit.h"

#include <stdio.h>

static void wire_of(const char *name, struct buf *out)
{
    dns_write_name(out, name);
    assert_false(out->failed);
}

/* RFC 4034 §6.1: by labels from the right, each as bytes; names here are canonical. */
static int compare_names(const char *a, const char *b)
{
    size_t labels_a = dns_name_labels(a), labels_b = dns_name_labels(b);
    size_t common = labels_a < labels_b ? labels_a : labels_b;
    for (size_t depth = 1; depth <= common; depth++) {
        const char *at_a = a, *at_b = b;
        for (size_t i = labels_a; i > depth; i--)
            at_a = dns_name_parent(at_a);
        for (size_t i = labels_b; i > depth; i--)
            at_b = dns_name_parent(at_b);
        AUTO_BUF(wire_a, DNS_NAME_WIRE_MAX);
        AUTO_BUF(wire_b, DNS_NAME_WIRE_MAX);
        wire_of(at_a, &wire_a);
        wire_of(at_b, &wire_b);
        size_t len_a = (uint8_t)wire_a.data[0], len_b = (uint8_t)wire_b.data[0];
        int order = memcmp(wire_a.data + 1, wire_b.data + 1, len_a < len_b ? len_a : len_b);
        order = order != 0 ? order : (len_a > len_b) - (len_a < len_b);
        if (order != 0)
            return order;
    }
    return (labels_a > labels_b) - (labels_a < labels_b);
}

static void assert_around(const char *name)
{
    char before[DNS_NAME_SIZE], behind[DNS_NAME_SIZE], below[DNS_NAME_SIZE];
    assert_true(dns_nsec_before(name, before));
    assert_true(dns_nsec_behind(name, behind));
    if (compare_names(before, name) >= 0 || compare_names(name, behind) >= 0)
        fail_msg("not %s < %s < %s", before, name, behind);
    if (dns_nsec_below(name, below))
        assert_true(compare_names(name, below) < 0 && compare_names(below, behind) < 0);
}

static void test_names_around_a_name(void **state)
{
    (void)state;
    char label[64], longest[256];
    memset(label, 'x', 63);
    label[63] = '\0';
    snprintf(longest, sizeof longest, "%s.%s.%s.%.61s", label, label, label, label); /* 253: no room for a byte more */
    const char *const names[] = { "foo.a.test",  "*.a.test",   "a",      "[.test", "z.test", "\\000.test",
                                  "a\\000.test", "\\255.test", "-.test", label,    longest };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_around(names[i]);
}

static void test_texts(void **state)
{
    (void)state;
    char out[DNS_NAME_SIZE];
    assert_true(dns_nsec_before("foo.a.test", out));
    assert_string_equal(out, "fon\\255.a.test");
    assert_true(dns_nsec_behind("foo.a.test", out));
    assert_string_equal(out, "foo\\000.a.test");
    assert_true(dns_nsec_below("foo.a.test", out));
    assert_string_equal(out, "\\000.foo.a.test");
    assert_true(dns_nsec_before("[.test", out)); /* Z would count as z, which sorts behind */
    assert_string_equal(out, "@\\255.test");
    assert_true(dns_nsec_before("\\000.test", out)); /* the first of all below its parent */
    assert_string_equal(out, "test");
    assert_false(dns_nsec_before("", out));
    assert_false(dns_nsec_behind("", out));
}

static void test_a_last_name_has_none_behind(void **state)
{
    (void)state;
    char name[DNS_NAME_SIZE] = "", out[DNS_NAME_SIZE];
    for (int i = 0; i < 63; i++)
        memcpy(name + 4 * i, "\\255", 5);
    assert_false(dns_nsec_behind(name, out));
    assert_true(dns_nsec_before(name, out));
    memcpy(name + 4 * 62, "\\254", 5);
    assert_true(dns_nsec_behind(name, out));
    assert_true(compare_names(name, out) < 0);
}

/* The example of RFC 4034 §4.3: A MX RRSIG NSEC TYPE1234. */
static void test_types(void **state)
{
    (void)state;
    static const uint16_t types[] = { 1234, DNS_NSEC, DNS_A, DNS_MX, DNS_RRSIG, DNS_A };
    AUTO_BUF(rdata, 512);
    AUTO_BUF(hex, 1024);
    dns_nsec_rdata(&rdata, "host.example.com", types, ARRAY_SIZE(types));
    buf_hex(&hex, buf_bytes(&rdata));
    assert_string_equal(buf_str(&hex), "04686f7374076578616d706c6503636f6d0000064001000000030"
                                       "41b000000000000000000000000000000000000000000000000000020");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_around_a_name),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_a_last_name_has_none_behind),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
