#include "tests/storage/samples.h"

#include "storage/fields.h"

static void encode_sample(struct buf *out, const struct record_type *type)
{
    record_encode(out, type, sample_of(type));
    assert_false(out->failed);
}

/* Decodes from a block of exactly that size, so that ASan sees one byte too many. */
static bool decode_exact(struct arena *arena, const struct record_type *type, struct bytes data, void *out)
{
    AUTO_TYPE(char) block = malloc(data.len + (data.len == 0));
    assert_non_null(block);
    if (data.len > 0)
        memcpy(block, data.data, data.len);
    return record_decode(arena, type, bytes_of(block, data.len), out);
}

static void assert_encodes_to(const struct record_type *type, const void *record, struct bytes expected)
{
    AUTO_BUF(again, 1 << 20);
    record_encode(&again, type, record);
    assert_true(bytes_equal(buf_bytes(&again), expected));
}

static void samples_set_every_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++)
        for (size_t f = 0; f < sample_types[i]->count; f++) {
            const struct field *field = &sample_types[i]->fields[f];
            assert_true(field_present(field, field_at(field, sample_of(sample_types[i]))));
        }
}

static void tags_ascend(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++)
        for (size_t f = 1; f < sample_types[i]->count; f++)
            assert_true(sample_types[i]->fields[f].tag > sample_types[i]->fields[f - 1].tag);
}

static void full_records_come_back(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        AUTO_BUF(data, 1 << 20);
        encode_sample(&data, type);
        void *back = arena_alloc(arena, type->size);
        assert_true(decode_exact(arena, type, buf_bytes(&data), back));
        assert_string_equal(sample_json(arena, type, back), sample_json(arena, type, sample_of(type)));
        assert_encodes_to(type, back, buf_bytes(&data));
    }
}

static void empty_records_come_back(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        void *empty = arena_alloc(arena, type->size);
        void *back = arena_alloc(arena, type->size);
        AUTO_BUF(data, 1 << 20);
        record_encode(&data, type, empty);
        memset(back, 0xa5, type->size);
        assert_true(decode_exact(arena, type, buf_bytes(&data), back));
        assert_memory_equal(back, empty, type->size);
    }
}

/* What a cut leaves is either refused or exactly the fields before it. */
static void every_truncation_is_seen(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        AUTO_BUF(data, 1 << 20);
        encode_sample(&data, type);
        void *back = arena_alloc(arena, type->size);
        size_t accepted = 0;
        for (size_t len = 0; len < data.len; len++) {
            struct bytes cut = bytes_of(data.data, len);
            if (!decode_exact(arena, type, cut, back))
                continue;
            AUTO_BUF(again, 1 << 20);
            record_encode(&again, type, back);
            /* the state is always written, so a cut before it grows by it */
            assert_true(again.len >= len);
            accepted++;
        }
        assert_int_equal(accepted, type->count);
        arena_reset(arena);
    }
}

static void damaged_bytes_do_no_harm(void **state)
{
    struct arena *arena = *state;
    static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        AUTO_BUF(data, 1 << 20);
        encode_sample(&data, type);
        for (size_t at = 0; at < data.len; at++) {
            char before = data.data[at];
            for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                data.data[at] = (char)values[v];
                void *back = arena_alloc(arena, type->size);
                if (decode_exact(arena, type, buf_bytes(&data), back))
                    sample_json(arena, type, back);
                arena_reset(arena);
            }
            data.data[at] = before;
        }
    }
}

static void unknown_tags_are_skipped(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < SAMPLE_TYPES; i++) {
        const struct record_type *type = sample_types[i];
        AUTO_BUF(data, 1 << 20);
        encode_sample(&data, type);
        size_t known = data.len;
        buf_append(&data, "\xc8\x01\x03new", 6);
        void *back = arena_alloc(arena, type->size);
        assert_true(decode_exact(arena, type, buf_bytes(&data), back));
        assert_encodes_to(type, back, bytes_of(data.data, known));
    }
}

static void refuses_what_no_encoder_writes(void **state)
{
    struct arena *arena = *state;
    static const struct {
        const struct record_type *type;
        struct bytes data;
    } rows[] = {
#define ROW(type, text)                                                                                                \
    {                                                                                                                  \
        &record_type_##type,                                                                                           \
        {                                                                                                              \
            (const uint8_t *)text, sizeof text - 1                                                                     \
        }                                                                                                              \
    }
        ROW(account, ""),                                                 /* no version */
        ROW(account, "\x02"),                                             /* a version of the future */
        ROW(account, "\x01\x01"),                                         /* a tag without length */
        ROW(account, "\x01\x01\x02x"),                                    /* longer than what is left */
        ROW(account, "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* 2^64-1 bytes */
        ROW(account, "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* a number over 64 bits */
        ROW(account, "\x01\x81\x00\x01x"),                                /* tag 1 in two bytes */
        ROW(account, "\x01\x00\x01x"),                                    /* tag 0 */
        ROW(account, "\x01\x01\x01x\x01\x01y"),                           /* a tag twice */
        ROW(account, "\x01\x04\x01x\x01\x01y"),                           /* tags that descend */
        ROW(account, "\x01\x01\x02x\0"),                                  /* NUL in a text */
        ROW(account, "\x01\x02\x05hello"),                                /* no such state */
        ROW(account, "\x01\x03\x02\x05x"),                                /* a list whose item is too long */
        ROW(account, "\x01\x06\x01\x01"),                                 /* a time before 1970 */
        ROW(account, "\x01\x06\x02\x02\x02"),                             /* a number and something behind it */
        ROW(account, "\x01\x06\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), /* a time after 9999 */
        ROW(authorization, "\x01\x04\x03xyz"),                            /* an identifier without type */
        ROW(authorization, "\x01\x04\x05x:abc"),                          /* of an unknown one */
        ROW(authorization, "\x01\x05\x01\x02"),                           /* a flag of 2 */
        ROW(authorization, "\x01\x05\x00"),                               /* a flag of nothing */
        ROW(authorization, "\x01\x08\x01\x00"),                           /* a challenge without version */
        ROW(certificate, "\x01\x0d\x00"),                                 /* a number of nothing */
#undef ROW
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        union {
            struct account account;
            struct authorization authorization;
            struct certificate certificate;
        } out;
        memset(&out, 0xa5, sizeof out);
        if (decode_exact(arena, rows[i].type, rows[i].data, &out))
            fail_msg("row %zu is accepted", i);
        assert_int_equal(*(unsigned char *)&out, 0xa5); /* outputs are for success only */
    }
}

static void numbers_of_any_size_come_back(void **state)
{
    struct arena *arena = *state;
    static const int64_t numbers[] = { 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct certificate certificate = { .revoked_reason = numbers[i] }, back;
        AUTO_BUF(data, 1024);
        record_encode(&data, &record_type_certificate, &certificate);
        assert_true(decode_exact(arena, &record_type_certificate, buf_bytes(&data), &back));
        assert_true(back.revoked_reason == numbers[i]);
    }
}

static void a_full_arena_refuses(void **state)
{
    (void)state;
    AUTO_BUF(data, 1 << 20);
    encode_sample(&data, &record_type_order);
    struct order back;
    for (size_t max = 0; max < 320; max += 16) {
        AUTO(arena) small = arena_create(max);
        assert_false(record_decode(small, &record_type_order, buf_bytes(&data), &back));
    }
}

static void types_are_found_by_class(void **state)
{
    (void)state;
    assert_ptr_equal(record_type_of(RECORD_certificate), &record_type_certificate);
    assert_string_equal(record_type_name(record_type_of(RECORD_account)), "account");
    assert_null(record_type_of((enum record_class)99));
}

static int make_arena(void **state)
{
    *state = arena_create(16 << 20);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    arena_drop(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(samples_set_every_field),       CASE(tags_ascend),
        CASE(full_records_come_back),        CASE(empty_records_come_back),
        CASE(every_truncation_is_seen),      CASE(damaged_bytes_do_no_harm),
        CASE(unknown_tags_are_skipped),      CASE(refuses_what_no_encoder_writes),
        CASE(numbers_of_any_size_come_back), CASE(a_full_arena_refuses),
        CASE(types_are_found_by_class),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
