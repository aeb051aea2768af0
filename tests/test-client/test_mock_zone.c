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

static void test_cnames_are_followed(void **state)
{
    add_cname(*state, "a.test", "b.test");
    add_cname(*state, "b.test", "C.test");
    add(*state, "b.test", DNS_TXT, "\x01x");
    assert_answer(*state, "a.test", DNS_A,
                  "NOERROR aa ra | a.test CNAME 0 0162047465737400 | b.test CNAME 0 0163047465737400 | c.test A 0 "
                  "7f010101");
    assert_answer(*state, "a.test", DNS_CNAME, "NOERROR aa ra | a.test CNAME 0 0162047465737400");
    assert_answer(*state, "b.test", DNS_CAA, "NOERROR aa ra | b.test CNAME 0 0163047465737400 auth");
}

static void test_cnames_in_a_circle_end(void **state)
{
    add_cname(*state, "a.test", "b.test");
    add_cname(*state, "b.test", "a.test");
    AUTO_BUF(text, 1 << 12);
    ask(*state, "a.test", DNS_A, &text);
    assert_non_null(strstr(buf_str(&text), "NOERROR aa ra | a.test CNAME"));
    assert_null(strstr(buf_str(&text), "7f010101"));
}

static void test_nxdomain_hides_everything(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    assert_true(mock_zone_set_trouble(*state, "a.test", MOCK_NXDOMAIN, true));
    assert_answer(*state, "A.test", DNS_TXT, "NXDOMAIN aa ra auth");
    assert_answer(*state, "A.test", DNS_A, "NXDOMAIN aa ra auth");
    add_cname(*state, "b.test", "a.test");
    assert_answer(*state, "b.test", DNS_A, "NXDOMAIN aa ra | b.test CNAME 0 0161047465737400 auth");
    assert_true(mock_zone_set_trouble(*state, "a.test", MOCK_SERVFAIL, true));
    assert_answer(*state, "a.test", DNS_A, "SERVFAIL aa ra");
    assert_true(mock_zone_set_trouble(*state, "a.test", MOCK_SERVFAIL, false));
    assert_true(mock_zone_set_trouble(*state, "a.test", MOCK_NXDOMAIN, false));
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0178");
}

static void test_wildcards(void **state)
{
    add(*state, "*.a.test", DNS_TXT, "\x01x");
    add(*state, "own.a.test", DNS_MX, "\x01y");
    add(*state, "*.deep.a.test", DNS_TXT, "\x01z");
    assert_answer(*state, "w.a.test", DNS_TXT, "NOERROR aa ra | w.a.test TXT 0 0178");
    assert_answer(*state, "v.w.A.test", DNS_TXT, "NOERROR aa ra | v.w.A.test TXT 0 0178");
    assert_answer(*state, "w.a.test", DNS_A, "NOERROR aa ra | w.a.test A 0 7f010101");
    assert_answer(*state, "w.deep.a.test", DNS_TXT, "NOERROR aa ra | w.deep.a.test TXT 0 017a");
    assert_answer(*state, "own.a.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "ba.test", DNS_TXT, "NOERROR aa ra auth");
    add(*state, "*", DNS_TXT, "\x01w");
    assert_answer(*state, "ba.test", DNS_TXT, "NOERROR aa ra | ba.test TXT 0 0177");
    assert_answer(*state, "test", DNS_TXT, "NOERROR aa ra | test TXT 0 0177");
    assert_answer(*state, "w.a.test", DNS_TXT, "NOERROR aa ra | w.a.test TXT 0 0178");
}

/* RFC 8020: a name that has names below it exists. */
static void test_names_with_others_below_exist(void **state)
{
    add(*state, "x.y.test", DNS_TXT, "\x01x");
    assert_true(mock_zone_set_trouble(*state, "*", MOCK_NXDOMAIN, true));
    assert_answer(*state, "any.test", DNS_A, "NXDOMAIN aa ra auth");
    assert_answer(*state, "ay.test", DNS_A, "NXDOMAIN aa ra auth");
    assert_answer(*state, "y.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "x.y.test", DNS_TXT, "NOERROR aa ra | x.y.test TXT 0 0178");
}

static void test_records_of_a_type_share_a_ttl(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    add(*state, "a.test", DNS_MX, "\x01x");
    mock_zone_set_ttl(*state, "A.test.", DNS_TXT, 300);
    add(*state, "a.test", DNS_TXT, "\x01y");
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 300 0178 | a.test TXT 300 0179");
    assert_answer(*state, "a.test", DNS_MX, "NOERROR aa ra | a.test MX 0 0178");
}

static void test_reset(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    assert_true(mock_zone_sign(*state, "test"));
    mock_zone_reset(*state);
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra auth");
    assert_answer(*state, "a.test", DNS_A, "NOERROR aa ra auth");
    assert_answer(*state, "test", DNS_DNSKEY, "NOERROR aa ra auth");
}

static void test_servfail_overrides_all(void **state)
{
    add(*state, "a.test", DNS_TXT, "\x01x");
    assert_true(mock_zone_set_trouble(*state, "A.test", MOCK_SERVFAIL, true));
    assert_answer(*state, "a.test", DNS_TXT, "SERVFAIL aa ra");
    add_cname(*state, "b.test", "a.test");
    assert_answer(*state, "b.test", DNS_A, "SERVFAIL aa ra");
    assert_true(mock_zone_set_trouble(*state, "a.test.", MOCK_SERVFAIL, false));
    assert_answer(*state, "a.test", DNS_TXT, "NOERROR aa ra | a.test TXT 0 0178");
    assert_true(mock_zone_set_trouble(*state, "never.test", MOCK_SERVFAIL, false));
}

static void test_names_that_are_none_are_refused(void **state)
{
    static const char *const names[] = { "", ".", "a..b", "a\\" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_false(mock_zone_add(*state, names[i], DNS_TXT, bytes_text("\x01x")));
        assert_false(mock_zone_set_trouble(*state, names[i], MOCK_SERVFAIL, true));
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

static void assert_text(enum dns_type type, const struct buf *rdata, const char *expected)
{
    AUTO_BUF(text, 1024);
    assert_true(dns_rdata_text(type, buf_bytes(rdata), &text));
    assert_string_equal(buf_str(&text), expected);
    for (size_t len = 0; len < rdata->len; len++) {
        buf_clear(&text);
        bool whole = dns_rdata_text(type, bytes_of(rdata->data, len), &text);
        assert_true(!whole || type == DNS_TXT || type == DNS_CAA || type == DNS_DS);
    }
}

static void test_texts_of_rdata(void **state)
{
    (void)state;
    AUTO_BUF(rdata, 2048);
    assert_true(dns_rdata_mx(10, "Mail.test", &rdata));
    assert_text(DNS_MX, &rdata, "10 mail.test.");
    buf_clear(&rdata);
    assert_true(dns_rdata_srv(&(struct dns_srv) { 1, 2, 443, "a.test" }, &rdata));
    assert_text(DNS_SRV, &rdata, "1 2 443 a.test.");
    buf_clear(&rdata);
    assert_true(dns_rdata_soa(&(struct dns_soa) { "n.test", "h.test", 1, 2, 3, 4, 5 }, &rdata));
    assert_text(DNS_SOA, &rdata, "n.test. h.test. 1 2 3 4 5");
    buf_clear(&rdata);
    assert_true(dns_rdata_caa("issue", "ca.test", &rdata));
    assert_text(DNS_CAA, &rdata, "0 issue \"ca.test\"");
    buf_clear(&rdata);
    assert_true(dns_rdata_address(DNS_AAAA, "fc00::1", &rdata));
    assert_text(DNS_AAAA, &rdata, "fc00::1");
    buf_clear(&rdata);
    assert_true(dns_rdata_address(DNS_A, "10.1.2.3", &rdata));
    assert_text(DNS_A, &rdata, "10.1.2.3");
    buf_clear(&rdata);
    buf_text(&rdata, "\x02xy\x01z");
    assert_text(DNS_TXT, &rdata, "xyz");
    assert_false(dns_rdata_text(DNS_OPT, buf_bytes(&rdata), &rdata));
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
        CASE(test_cnames_are_followed),
        CASE(test_cnames_in_a_circle_end),
        CASE(test_nxdomain_hides_everything),
        CASE(test_wildcards),
        CASE(test_names_with_others_below_exist),
        CASE(test_records_of_a_type_share_a_ttl),
        CASE(test_reset),
        CASE(test_servfail_overrides_all),
        CASE(test_names_that_are_none_are_refused),
        CASE(test_a_name_holds_a_bounded_number_of_records),
        CASE(test_what_does_not_fit_into_udp_is_cut),
        CASE(test_what_does_not_fit_into_any_message_is_cut),
        CASE(test_refusals),
        CASE(test_unknown_edns_version),
        CASE(test_rdata_of_texts),
        CASE(test_texts_of_rdata),
        CASE(test_long_txt_is_split),
        CASE(test_texts_that_are_no_rdata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
