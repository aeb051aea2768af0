#include "test-client/dns_rdata.h"
#include "test-client/mock_zone.h"

#include "tests/test-client/dns_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct mock_zone *zone = mock_zone_create();
    CHECK(zone != NULL && mock_zone_set_default(zone, DNS_A, bytes_text("\x7f\x01\x01\x01")));
    *state = zone;
    return 0;
}

static int tear_down(void **state)
{
    mock_zone_drop(*state);
    return 0;
}

static void ask(const struct mock_zone *zone, const char *name, uint16_t type, struct buf *text)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, DNS_MESSAGE_MAX);
    dns_client_query(&query, name, type, 0);
    mock_zone_answer(zone, buf_bytes(&query), DNS_OVER_STREAM, &answer);
    dns_client_text(buf_bytes(&answer), text);
}

static void assert_answer(const struct mock_zone *zone, const char *name, uint16_t type, const char *expected)
{
    AUTO_BUF(text, 1 << 16);
    ask(zone, name, type, &text);
    assert_string_equal(buf_str(&text), expected);
}

static void add(struct mock_zone *zone, const char *name, enum dns_type type, const char *rdata)
{
    assert_true(mock_zone_add(zone, name, type, bytes_text(rdata)));
}

static void add_cname(struct mock_zone *zone, const char *name, const char *target)
{
    AUTO_BUF(rdata, 256);
    assert_true(dns_rdata_name(target, &rdata));
    assert_true(mock_zone_add(zone, name, DNS_CNAME, buf_bytes(&rdata)));
}

static void test_unknown_names_have_defaults(void **state)
{
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f010101");
    assert_answer(*state, "a.test", DNS_AAAA, "NOERROR aa ra auth");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "a.test", 43, "NOERROR aa ra auth");
    assert_true(mock_zone_set_default(*state, DNS_A, bytes_of(NULL, 0)));
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra auth");
}

static void test_records_of_a_name(void **state)
{
    add(*state, "a.test", DNS_A, "\x0a\x01\x01\x02");
    add(*state, "a.test.", DNS_A, "\x0a\x01\x01\x01");
    add(*state, "a.test", DNS_TXT, "\x01x");
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 0a010102 | a.test A 0 0a010101");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0178");
    assert_answer(*state, "b.test", DNS_TXT, "NOERROR aa ra auth");
}

static void test_case_does_not_count_and_is_given_back(void **state)
{
    add(*state, "wWw.Test", DNS_TXT, "\x01x");
    assert_answer(*state, "WWW.tesT", DNS_TXT, "NOERROR aa ra | WWW.tesT TXT 0 0178");
}

static void test_doubles_are_one_record(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    add(*state, "A.test", DNS_TXT, "\x01x");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0178");
}

static void test_remove_and_clear(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    add(*state, "a.test", DNS_TXT, "\x01y");
    add(*state, "a.test", DNS_A, "\x0a\x01\x01\x01");
    mock_zone_remove(*state, "A.test", DNS_TXT, bytes_text("\x01x"));
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0179");
    mock_zone_clear(*state, "a.test.", DNS_TXT);
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 0a010101");
    mock_zone_clear(*state, "a.test", DNS_A);
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra | a.test A 0 7f010101");
    mock_zone_clear(*state, "never.test", DNS_A);
}

static void test_cname_is_followed_once(void **state)
{
    add_cname(*state, "a.test", "b.test");
    add_cname(*state, "b.test", "c.test");
    add(*state, "b.test", DNS_TXT, "\x01x");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test CNAME 0 0162047465737400 | b.test TXT 0 0178");
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra | a.test CNAME 0 0162047465737400 | b.test A 0 7f010101");
    assert_answer(*state, "a.test", DNS_CNAME, "NOERROR aa ra | a.test CNAME 0 0162047465737400");
    assert_answer(*state, "a.test", DNS_CAA, "NOERROR aa ra | a.test CNAME 0 0162047465737400 auth");
}

static void test_servfail_overrides_all(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    assert_true(mock_zone_set_servfail(*state, "A.test", true));
    assert_answer(*state, "a.test", DNS_TXT, "SERVFAIL aa ra");
    add_cname(*state, "b.test", "a.test");
    assert_answer(*state, "b.test", DNS_A, "SERVFAIL aa ra");
    assert_true(mock_zone_set_servfail(*state, "a.test.", false));
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0178");
    assert_true(mock_zone_set_servfail(*state, "never.test", false));
}

static void test_names_that_are_none_are_refused(void **state)
{
    static const char *const names[] = { "", ".", "a..b", "a\\" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_false(mock_zone_add(*state, names[i], DNS_TXT, bytes_text("\x01x")));
        assert_false(mock_zone_set_servfail(*state, names[i], true));
        mock_zone_clear(*state, names[i], DNS_TXT);
    }
}

static void test_a_name_holds_a_bounded_number_of_records(void **state)
{
    bool all = true;
    for (int i = 0; i < 2000; i++) {
        char rdata[8];
        snprintf(rdata, sizeof rdata, "%c%04d", 4, i);
        all &= mock_zone_add(*state, "a.test", DNS_TXT, bytes_text(rdata));
    }
    assert_false(all);
    AUTO_BUF(text, 1 << 18);
    ask(*state, "a.test", DNS_TXT, &text);
    assert_int_equal(strncmp(buf_str(&text), "NOERROR aa ra | a.test TXT 0 0430303030", 39), 0);
}

static void fill(struct mock_zone *zone, size_t value_len, int count)
{
    char value[400];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < count; i++) {
        AUTO_BUF(rdata, 1024);
        value[0] = (char)i;
        assert_true(dns_rdata_txt(bytes_of(value, value_len), &rdata));
        assert_true(mock_zone_add(zone, "a.test", DNS_TXT, buf_bytes(&rdata)));
    }
}

static size_t answer_size(const struct mock_zone *zone, uint16_t udp_bytes, enum dns_transport transport,
                          struct buf *text)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, DNS_MESSAGE_MAX);
    dns_client_query(&query, "a.test", DNS_TXT, udp_bytes);
    mock_zone_answer(zone, buf_bytes(&query), transport, &answer);
    dns_client_text(buf_bytes(&answer), text);
    return answer.len;
}

static void test_what_does_not_fit_into_udp_is_cut(void **state)
{
    fill(*state, 200, 3); /* 3 × (12 + 201) and 24 in front */
    AUTO_BUF(text, 1 << 16);
    assert_int_equal(answer_size(*state, 0, DNS_OVER_UDP, &text), 24);
    assert_string_equal(buf_str(&text), "NOERROR aa tc ra");
    assert_int_equal(answer_size(*state, 673, DNS_OVER_UDP, &text), 24 + 11);
    assert_string_equal(buf_str(&text), "NOERROR aa tc ra");
    assert_int_equal(answer_size(*state, 674, DNS_OVER_UDP, &text), 674);
    assert_int_equal(answer_size(*state, 0, DNS_OVER_STREAM, &text), 663);
}

static void test_what_does_not_fit_into_any_message_is_cut(void **state)
{
    fill(*state, 300, 250);
    AUTO_BUF(text, 1 << 18);
    assert_int_equal(answer_size(*state, 65535, DNS_OVER_UDP, &text), 24 + 11);
    assert_int_equal(answer_size(*state, 0, DNS_OVER_STREAM, &text), 24);
    assert_string_equal(buf_str(&text), "NOERROR aa tc ra");
}

static void test_refusals(void **state)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, DNS_MESSAGE_MAX);
    AUTO_BUF(text, 1024);
    dns_client_query(&query, "a.test", DNS_A, 0);
    query.data[query.len - 1] = 3; /* class CHAOS */
    mock_zone_answer(*state, buf_bytes(&query), DNS_OVER_UDP, &answer);
    dns_client_text(buf_bytes(&answer), &text);
    assert_string_equal(buf_str(&text), "REFUSED aa ra");
    mock_zone_answer(*state, bytes_of(query.data, query.len - 1), DNS_OVER_UDP, &answer);
    dns_client_text(buf_bytes(&answer), &text);
    assert_string_equal(buf_str(&text), "FORMERR aa ra");
    mock_zone_answer(*state, bytes_of(query.data, DNS_HEADER_BYTES - 1), DNS_OVER_UDP, &answer);
    assert_int_equal(answer.len, 0);
}

static void test_unknown_edns_version(void **state)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, DNS_MESSAGE_MAX);
    dns_client_query(&query, "a.test", DNS_A, 1232);
    query.data[query.len - 5] = 1;
    mock_zone_answer(*state, buf_bytes(&query), DNS_OVER_UDP, &answer);
    assert_int_equal(answer.len, 24 + 11);
    assert_int_equal(answer.data[24 + 5], 1); /* BADVERS is 16: upper bits 1 (RFC 6891 §6.1.3), lower bits 0 */
    assert_int_equal(answer.data[3] & 0xf, 0);
}

static void assert_rdata(const struct buf *rdata, const char *expected, size_t len)
{
    assert_int_equal(rdata->len, len);
    assert_memory_equal(rdata->data, expected, len);
}

static void test_rdata_of_texts(void **state)
{
    (void)state;
    AUTO_BUF(rdata, 2048);
    assert_true(dns_rdata_address(DNS_A, "10.1.2.3", &rdata));
    assert_rdata(&rdata, "\x0a\x01\x02\x03", 4);
    buf_clear(&rdata);
    assert_true(dns_rdata_address(DNS_AAAA, "fc00::1", &rdata));
    assert_rdata(&rdata, "\xfc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    buf_clear(&rdata);
    assert_true(dns_rdata_name("b.test.", &rdata));
    assert_rdata(&rdata, "\001b\004test", 8);
    buf_clear(&rdata);
    assert_true(dns_rdata_caa("issue", "ca.test; x=y", &rdata));
    assert_rdata(&rdata, "\0\x05issueca.test; x=y", 19);
    buf_clear(&rdata);
    assert_true(dns_rdata_txt(bytes_text(""), &rdata));
    assert_rdata(&rdata, "\0", 1);
}

static void test_long_txt_is_split(void **state)
{
    (void)state;
    char value[511];
    memset(value, 'x', sizeof value);
    AUTO_BUF(rdata, 2048);
    assert_true(dns_rdata_txt(bytes_of(value, sizeof value), &rdata));
    assert_int_equal(rdata.len, 511 + 3);
    assert_int_equal((uint8_t)rdata.data[0], 255);
    assert_int_equal((uint8_t)rdata.data[256], 255);
    assert_int_equal((uint8_t)rdata.data[512], 1);
    buf_clear(&rdata);
    assert_true(dns_rdata_txt(bytes_of(value, 255), &rdata));
    assert_int_equal(rdata.len, 256);
}

static void test_texts_that_are_no_rdata(void **state)
{
    (void)state;
    AUTO_BUF(rdata, 64);
    assert_false(dns_rdata_address(DNS_A, "::1", &rdata));
    assert_false(dns_rdata_address(DNS_A, "1.2.3", &rdata));
    assert_false(dns_rdata_address(DNS_AAAA, "127.0.0.1", &rdata));
    assert_false(dns_rdata_caa("", "x", &rdata));
    assert_false(dns_rdata_caa("is sue", "x", &rdata));
    char long_value[65] = { 0 };
    assert_false(dns_rdata_txt(bytes_of(long_value, sizeof long_value), &rdata));
    buf_clear(&rdata);
    assert_false(dns_rdata_name("a..b", &rdata));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_unknown_names_have_defaults),
        CASE(test_records_of_a_name),
        CASE(test_case_does_not_count_and_is_given_back),
        CASE(test_doubles_are_one_record),
        CASE(test_remove_and_clear),
        CASE(test_cname_is_followed_once),
        CASE(test_servfail_overrides_all),
        CASE(test_names_that_are_none_are_refused),
        CASE(test_a_name_holds_a_bounded_number_of_records),
        CASE(test_what_does_not_fit_into_udp_is_cut),
        CASE(test_what_does_not_fit_into_any_message_is_cut),
        CASE(test_refusals),
        CASE(test_unknown_edns_version),
        CASE(test_rdata_of_texts),
        CASE(test_long_txt_is_split),
        CASE(test_texts_that_are_no_rdata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
