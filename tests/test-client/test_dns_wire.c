#include "test-client/dns_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* A query for "Www.example" A with EDNS: 1232 bytes, DO. */
static const uint8_t query_bytes[] = { 0x12, 0x34, 0x01, 0x00, 0,    1,    0,   0,   0,    0,   0, 1, 3, 'W',
                                       'w',  'w',  7,    'e',  'x',  'a',  'm', 'p', 'l',  'e', 0, 0, 1, 0,
                                       1,    0,    0,    41,   0x04, 0xd0, 0,   0,   0x80, 0,   0, 0 };

static bool read_name_at(struct bytes message, size_t at, char out[static DNS_NAME_SIZE], size_t *behind)
{
    struct dns_reader reader = { message, at };
    bool read = dns_read_name(&reader, out);
    *behind = reader.at;
    return read;
}

static void test_query_is_read_in_parts(void **state)
{
    (void)state;
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(query_bytes, sizeof query_bytes), &query));
    assert_int_equal(query.rcode, DNS_NOERROR);
    assert_int_equal(query.header.id, 0x1234);
    assert_string_equal(query.question.name, "Www.example");
    assert_int_equal(query.question.type, DNS_A);
    assert_int_equal(query.question.klass, DNS_CLASS_IN);
    assert_int_equal(query.question_wire.len, 17);
    assert_true(query.edns && query.dnssec_ok);
    assert_int_equal(query.udp_bytes, 1232);
}

static void test_every_cut_is_malformed(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof query_bytes; len++) {
        struct dns_query query;
        bool to_answer = dns_query_parse(bytes_of(query_bytes, len), &query);
        assert_int_equal(to_answer, len >= DNS_HEADER_BYTES);
        if (to_answer)
            assert_int_equal(query.rcode, DNS_FORMERR);
    }
}

/* Changes one byte of the query. */
static enum dns_rcode rcode_with(size_t at, uint8_t value)
{
    uint8_t copy[sizeof query_bytes];
    memcpy(copy, query_bytes, sizeof copy);
    copy[at] = value;
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(copy, sizeof copy), &query));
    return query.rcode;
}

static void test_wrong_queries(void **state)
{
    (void)state;
    assert_int_equal(rcode_with(2, 0x21), DNS_NOTIMP);   /* NOTIFY */
    assert_int_equal(rcode_with(5, 0), DNS_FORMERR);     /* no question */
    assert_int_equal(rcode_with(5, 2), DNS_FORMERR);     /* two */
    assert_int_equal(rcode_with(11, 0), DNS_FORMERR);    /* bytes behind the end */
    assert_int_equal(rcode_with(11, 2), DNS_FORMERR);    /* fewer records than announced */
    assert_int_equal(rcode_with(12, 0x43), DNS_FORMERR); /* neither length nor pointer */
    assert_int_equal(rcode_with(35, 1), DNS_BADVERS);    /* EDNS 1 */
}

static void test_answers_are_not_answered(void **state)
{
    (void)state;
    uint8_t copy[sizeof query_bytes];
    memcpy(copy, query_bytes, sizeof copy);
    copy[2] |= 0x80;
    struct dns_query query;
    assert_false(dns_query_parse(bytes_of(copy, sizeof copy), &query));
}

/* Its own header is all that the pointer could lead to. */
static void test_a_question_is_not_compressed(void **state)
{
    (void)state;
    static const uint8_t message[] = { 0x47, 0x11, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x06, 0, 1, 0, 1 };
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(message, sizeof message), &query));
    assert_int_equal(query.rcode, DNS_FORMERR);
    assert_int_equal(query.question_wire.len, 0);
}

static void test_two_edns_records_are_malformed(void **state)
{
    (void)state;
    uint8_t twice[sizeof query_bytes + 11];
    memcpy(twice, query_bytes, sizeof query_bytes);
    memcpy(twice + sizeof query_bytes, query_bytes + sizeof query_bytes - 11, 11);
    twice[11] = 2;
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(twice, sizeof twice), &query));
    assert_int_equal(query.rcode, DNS_FORMERR);
}

static void test_edns_record_among_the_answers_is_malformed(void **state)
{
    (void)state;
    uint8_t copy[sizeof query_bytes];
    memcpy(copy, query_bytes, sizeof copy);
    copy[7] = 1;
    copy[11] = 0;
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(copy, sizeof copy), &query));
    assert_int_equal(query.rcode, DNS_FORMERR);
}

static void test_small_edns_size_is_raised(void **state)
{
    (void)state;
    uint8_t copy[sizeof query_bytes];
    memcpy(copy, query_bytes, sizeof copy);
    copy[32] = 0;
    struct dns_query query;
    assert_true(dns_query_parse(bytes_of(copy, sizeof copy), &query));
    assert_int_equal(query.udp_bytes, DNS_UDP_BYTES);
}

static void test_compressed_names(void **state)
{
    (void)state;
    static const uint8_t message[] = { 3, 'c', 'o', 'm', 0, 1, 'a', 0xc0, 0, 1, 'b', 0xc0, 5, 0xc0, 9, 9 };
    struct bytes view = bytes_of(message, sizeof message);
    char name[DNS_NAME_SIZE];
    size_t behind;
    assert_true(read_name_at(view, 9, name, &behind));
    assert_string_equal(name, "b.a.com");
    assert_int_equal(behind, 13);
    assert_true(read_name_at(view, 13, name, &behind));
    assert_string_equal(name, "b.a.com");
    assert_int_equal(behind, 15);
    assert_true(read_name_at(view, 4, name, &behind));
    assert_string_equal(name, "");
}

static void test_pointers_lead_only_backwards(void **state)
{
    (void)state;
    static const uint8_t itself[] = { 0xc0, 0 };
    static const uint8_t forward[] = { 0xc0, 2, 1, 'a', 0 };
    static const uint8_t loop[] = { 1, 'a', 0xc0, 0 };
    static const uint8_t circle[] = { 1, 'a', 0xc0, 4, 1, 'b', 0xc0, 0 };
    static const uint8_t outside[] = { 0, 0xff, 0xff };
    static const struct {
        const uint8_t *data;
        size_t len, at;
    } rows[] = {
        { itself, sizeof itself, 0 }, { forward, sizeof forward, 0 }, { loop, sizeof loop, 0 },
        { circle, sizeof circle, 4 }, { outside, sizeof outside, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[DNS_NAME_SIZE];
        size_t behind;
        assert_false(read_name_at(bytes_of(rows[i].data, rows[i].len), rows[i].at, name, &behind));
    }
}

/* Labels of `label` bytes until the name takes `total` bytes on the wire. */
static size_t long_name(uint8_t *out, size_t total, size_t label, uint8_t byte)
{
    size_t len = 0;
    while (len + 1 < total) {
        size_t here = total - len - 2 < label ? total - len - 2 : label;
        out[len] = (uint8_t)here;
        memset(out + len + 1, byte, here);
        len += 1 + here;
    }
    out[len] = 0;
    return len + 1;
}

static void test_names_have_a_limit(void **state)
{
    (void)state;
    uint8_t wire[300];
    char name[DNS_NAME_SIZE];
    size_t behind;
    assert_int_equal(long_name(wire, 255, 63, 0xff), 255);
    assert_true(read_name_at(bytes_of(wire, 255), 0, name, &behind));
    AUTO_BUF(again, 300);
    dns_write_name(&again, name); /* the longest text there is */
    assert_true(bytes_equal(buf_bytes(&again), bytes_of(wire, 255)));
    assert_int_equal(long_name(wire, 256, 61, 'a'), 256);
    assert_false(read_name_at(bytes_of(wire, 256), 0, name, &behind));
}

static void test_names_in_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical; /* NULL: no name */
    } rows[] = {
        { "Www.Example.TEST", "www.example.test" },
        { "www.example.test.", "www.example.test" },
        { "_acme-challenge.x", "_acme-challenge.x" },
        { "*.example", "*.example" },
        { "a\\.b.c", "a\\.b.c" },
        { "a\\046b", "a\\.b" },
        { "\\097\\000\\255", "a\\000\\255" },
        { "", "" },
        { ".", "" },
        { "..", NULL },
        { "a..b", NULL },
        { ".a", NULL },
        { "a\\", NULL },
        { "a\\25", NULL },
        { "a\\256", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char out[DNS_NAME_SIZE];
        bool name = dns_name_canonical(rows[i].text, out);
        assert_int_equal(name, rows[i].canonical != NULL);
        if (name)
            assert_string_equal(out, rows[i].canonical);
    }
}

static void test_label_of_64_is_no_label(void **state)
{
    (void)state;
    char text[65], out[DNS_NAME_SIZE];
    memset(text, 'a', sizeof text);
    text[64] = '\0';
    assert_false(dns_name_canonical(text, out));
    text[63] = '\0';
    assert_true(dns_name_canonical(text, out));
}

static void test_records_are_read_as_written(void **state)
{
    (void)state;
    AUTO_BUF(out, 512);
    dns_write_header(&out, &(struct dns_header) { .id = 7, .counts[DNS_ANSWERS] = 1 });
    dns_write_record(&out, "a.test", DNS_TXT, 0x01020304, bytes_text("\x02hi"));
    struct dns_reader reader = { buf_bytes(&out), 0 };
    struct dns_header header;
    struct dns_record record;
    assert_true(dns_read_header(&reader, &header));
    assert_int_equal(header.counts[DNS_ANSWERS], 1);
    assert_true(dns_read_record(&reader, &record));
    assert_string_equal(record.name, "a.test");
    assert_int_equal(record.type, DNS_TXT);
    assert_int_equal(record.ttl, 0x01020304);
    assert_true(bytes_equal_text(record.rdata, "\x02hi"));
    assert_int_equal(reader.at, out.len);
    for (size_t len = DNS_HEADER_BYTES; len < out.len; len++) {
        reader = (struct dns_reader) { bytes_of(out.data, len), DNS_HEADER_BYTES };
        assert_false(dns_read_record(&reader, &record));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_is_read_in_parts),
        cmocka_unit_test(test_every_cut_is_malformed),
        cmocka_unit_test(test_wrong_queries),
        cmocka_unit_test(test_answers_are_not_answered),
        cmocka_unit_test(test_a_question_is_not_compressed),
        cmocka_unit_test(test_two_edns_records_are_malformed),
        cmocka_unit_test(test_edns_record_among_the_answers_is_malformed),
        cmocka_unit_test(test_small_edns_size_is_raised),
        cmocka_unit_test(test_compressed_names),
        cmocka_unit_test(test_pointers_lead_only_backwards),
        cmocka_unit_test(test_names_have_a_limit),
        cmocka_unit_test(test_names_in_text),
        cmocka_unit_test(test_label_of_64_is_no_label),
        cmocka_unit_test(test_records_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
