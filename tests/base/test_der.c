#include "base/der.h"
#include "tests/unit.h"

#define DER(...) bytes_of((const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }))

static void values_are_read_in_their_order(void **state)
{
    (void)state;
    enum der_fault fault = DER_SOUND;
    uint8_t tag = 0;
    struct der in = DER_OVER(DER(0x30, 0x07, 0x04, 0x02, 'a', 'b', 0x82, 0x01, 'c', 0x05, 0x00), &fault);
    assert_int_equal(der_peek(&in), DER_SEQUENCE);
    struct der inside = der_enter(&in, DER_SEQUENCE);
    assert_true(bytes_equal_text(der_content(&inside, DER_OCTET_STRING), "ab"));
    assert_true(bytes_equal_text(der_any(&inside, &tag), "c"));
    assert_int_equal(tag, 0x82);
    assert_false(der_more(&inside));
    assert_int_equal(der_peek(&inside), 0);
    der_end(&inside);
    assert_true(bytes_equal(der_element(&in, DER_NULL), DER(0x05, 0x00)));
    der_end(&in);
    assert_int_equal(fault, DER_SOUND);
}

static void lengths_are_read_at_their_limits(void **state)
{
    (void)state;
    static const struct {
        size_t head, len;
        uint8_t bytes[6];
    } cases[] = {
        { 2, 0, { 0x04, 0x00 } },
        { 2, 0x7f, { 0x04, 0x7f } },
        { 3, 0x80, { 0x04, 0x81, 0x80 } },
        { 3, 0xff, { 0x04, 0x81, 0xff } },
        { 4, 0x100, { 0x04, 0x82, 0x01, 0x00 } },
        { 4, 0xffff, { 0x04, 0x82, 0xff, 0xff } },
        { 5, 0x10000, { 0x04, 0x83, 0x01, 0x00, 0x00 } },
        { 6, 0x1000000, { 0x04, 0x84, 0x01, 0x00, 0x00, 0x00 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t whole = cases[i].head + cases[i].len;
        uint8_t *value = calloc(1, whole);
        memcpy(value, cases[i].bytes, cases[i].head);
        enum der_fault fault = DER_SOUND;
        struct der in = DER_OVER(bytes_of(value, whole), &fault);
        struct bytes content = der_content(&in, DER_OCTET_STRING);
        assert_int_equal(fault, DER_SOUND);
        assert_int_equal(content.len, cases[i].len);
        assert_ptr_equal(content.data, value + cases[i].head);
        in = DER_OVER(bytes_of(value, whole - 1), &fault);
        assert_int_equal(der_element(&in, DER_OCTET_STRING).len, 0);
        assert_int_equal(fault, DER_BROKEN);
        free(value);
    }
}

enum { READ_ANY, READ_STRING, READ_NUMBER, READ_OCTETS, READ_SET };

static enum der_fault fault_of(int how, struct bytes der)
{
    /* a block of exactly this size lets ASan see one byte too many */
    uint8_t *exact = malloc(der.len + 1), tag;
    memcpy(exact, der.data, der.len);
    enum der_fault fault = DER_SOUND;
    struct der in = DER_OVER(bytes_of(exact, der.len), &fault);
    if (how == READ_ANY)
        der_any(&in, &tag);
    else if (how == READ_STRING)
        der_content(&in, DER_OCTET_STRING);
    else if (how == READ_NUMBER)
        der_number(&in);
    else if (how == READ_OCTETS)
        der_octets(&in);
    else
        der_sorted(der_enter(&in, DER_SET));
    der_end(&in);
    free(exact);
    return fault;
}

static const struct {
    int how;
    enum der_fault want;
    size_t len;
    uint8_t bytes[12];
} forms[] = {
    { READ_ANY, DER_BROKEN, 0, { 0 } },
    { READ_ANY, DER_BROKEN, 1, { 0x04 } },
    { READ_ANY, DER_BROKEN, 2, { 0x04, 0x01 } },
    { READ_ANY, DER_BROKEN, 2, { 0x00, 0x00 } },       /* the end-of-contents of BER */
    { READ_ANY, DER_BROKEN, 3, { 0x1f, 0x01, 0x00 } }, /* a tag of more than one byte */
    { READ_ANY, DER_BROKEN, 3, { 0xbf, 0x01, 0x00 } },
    { READ_ANY, DER_BROKEN, 3, { 0x04, 0x00, 0x00 } },              /* followed by more */
    { READ_ANY, DER_NOT_CANONICAL, 4, { 0x30, 0x80, 0x00, 0x00 } }, /* indefinite */
    { READ_ANY, DER_NOT_CANONICAL, 4, { 0x04, 0x81, 0x01, 0x00 } }, /* short form would do */
    { READ_ANY, DER_NOT_CANONICAL, 5, { 0x04, 0x82, 0x00, 0x01, 0x00 } } /* a zero in front */,
    { READ_ANY, DER_BROKEN, 2, { 0x04, 0x81 } },
    { READ_ANY, DER_BROKEN, 3, { 0x04, 0x82, 0x01 } },
    { READ_ANY, DER_BROKEN, 6, { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff } },
    { READ_ANY, DER_BROKEN, 7, { 0x04, 0x85, 0xff, 0xff, 0xff, 0xff, 0xff } }, /* more length than we count */
    { READ_ANY, DER_BROKEN, 2, { 0x04, 0xff } },
    { READ_STRING, DER_BROKEN, 3, { 0x24, 0x01, 0x00 } }, /* constructed: another tag */
    { READ_STRING, DER_BROKEN, 3, { 0x03, 0x01, 0x00 } },
    { READ_NUMBER, DER_SOUND, 3, { 0x02, 0x01, 0x01 } },
    { READ_NUMBER, DER_SOUND, 4, { 0x02, 0x02, 0x00, 0x80 } },
    { READ_NUMBER, DER_BROKEN, 2, { 0x02, 0x00 } },
    { READ_NUMBER, DER_BROKEN, 3, { 0x02, 0x01, 0x00 } }, /* zero is not positive */
    { READ_NUMBER, DER_BROKEN, 3, { 0x02, 0x01, 0x80 } }, /* negative */
    { READ_NUMBER, DER_NOT_CANONICAL, 4, { 0x02, 0x02, 0x00, 0x7f } },
    { READ_OCTETS, DER_SOUND, 3, { 0x03, 0x01, 0x00 } },
    { READ_OCTETS, DER_SOUND, 4, { 0x03, 0x02, 0x00, 0xff } },
    { READ_OCTETS, DER_BROKEN, 2, { 0x03, 0x00 } },
    { READ_OCTETS, DER_BROKEN, 4, { 0x03, 0x02, 0x01, 0xfe } }, /* seven bits */
    { READ_SET, DER_SOUND, 2, { 0x31, 0x00 } },
    { READ_SET, DER_SOUND, 8, { 0x31, 0x06, 0x04, 0x01, 'a', 0x04, 0x01, 'b' } },
    { READ_SET, DER_SOUND, 8, { 0x31, 0x06, 0x04, 0x01, 'a', 0x04, 0x01, 'a' } },
    { READ_SET, DER_SOUND, 9, { 0x31, 0x07, 0x04, 0x01, 'b', 0x04, 0x02, 'a', 'a' } },
    { READ_SET, DER_NOT_CANONICAL, 8, { 0x31, 0x06, 0x04, 0x01, 'b', 0x04, 0x01, 'a' } },
    { READ_SET, DER_BROKEN, 5, { 0x31, 0x03, 0x04, 0x02, 'b' } },
};

static void each_other_form_is_a_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        enum der_fault got = fault_of(forms[i].how, bytes_of(forms[i].bytes, forms[i].len));
        if (got != forms[i].want)
            fail_msg("form %zu: fault %d instead of %d", i, (int)got, (int)forms[i].want);
    }
}

static void numbers_lose_the_byte_of_their_sign(void **state)
{
    (void)state;
    enum der_fault fault = DER_SOUND;
    struct der in = DER_OVER(DER(0x02, 0x02, 0x00, 0x80, 0x02, 0x02, 0x7f, 0x01, 0x03, 0x03, 0x00, 'h', 'i'), &fault);
    assert_true(bytes_equal(der_number(&in), DER(0x80)));
    assert_true(bytes_equal(der_number(&in), DER(0x7f, 0x01)));
    assert_true(bytes_equal_text(der_octets(&in), "hi"));
    assert_int_equal(fault, DER_SOUND);
}

/* The first fault is the one that is told, and it ends every loop over what is outside of it. */
static void a_fault_sticks(void **state)
{
    (void)state;
    enum der_fault fault = DER_SOUND;
    uint8_t tag = 0x77;
    struct der in = DER_OVER(DER(0x30, 0x02, 0x04, 0x80, 0x04, 0x00), &fault);
    struct der inside = der_enter(&in, DER_SEQUENCE);
    assert_int_equal(der_content(&inside, DER_OCTET_STRING).len, 0);
    assert_int_equal(fault, DER_NOT_CANONICAL);
    assert_false(der_more(&in));
    assert_int_equal(der_peek(&in), 0);
    assert_int_equal(der_any(&in, &tag).len, 0);
    assert_int_equal(tag, 0x77);
    struct der nothing = der_enter(&in, DER_OCTET_STRING);
    assert_int_equal(nothing.left.len, 0);
    assert_int_equal(der_number(&in).len, 0);
    assert_int_equal(der_octets(&in).len, 0);
    assert_int_equal(fault, DER_NOT_CANONICAL);
}

static void what_is_wrapped_is_read(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x20001 };
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        AUTO_BUF(out, 1 << 20);
        buf_text(&out, "before");
        for (size_t k = 0; k < lengths[i]; k++)
            buf_char(&out, (char)k);
        der_wrap(&out, 6, DER_OCTET_STRING);
        enum der_fault fault = DER_SOUND;
        struct der in = DER_OVER(bytes_of(out.data + 6, out.len - 6), &fault);
        struct bytes content = der_content(&in, DER_OCTET_STRING);
        der_end(&in);
        assert_int_equal(fault, DER_SOUND);
        assert_int_equal(content.len, lengths[i]);
        for (size_t k = 0; k < lengths[i]; k++)
            assert_int_equal(content.data[k], (uint8_t)k);
        assert_memory_equal(out.data, "before", 6);
    }
}

static void a_wrap_without_room_fails(void **state)
{
    (void)state;
    AUTO_BUF(out, 4);
    buf_text(&out, "abc");
    der_wrap(&out, 0, DER_OCTET_STRING);
    assert_true(out.failed);
    assert_string_equal(buf_str(&out), "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_in_their_order),
        cmocka_unit_test(lengths_are_read_at_their_limits),
        cmocka_unit_test(each_other_form_is_a_fault),
        cmocka_unit_test(numbers_lose_the_byte_of_their_sign),
        cmocka_unit_test(a_fault_sticks),
        cmocka_unit_test(what_is_wrapped_is_read),
        cmocka_unit_test(a_wrap_without_room_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
