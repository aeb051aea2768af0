#include "server/web/proxy_header.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <stdio.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define RAW(text) bytes_of(text, sizeof(text) - 1)
#define HELLO     "\x16\x03\x01" /* of TLS, behind the header */
#define IPV4      "\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb"
#define IPV6_1    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define IPV6_2    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08"
#define HEX_8     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define DIGITS_10 "0123456789"

static void assert_verdict(struct bytes data, enum proxy_verdict expected)
{
    struct proxy_header header;
    enum proxy_verdict verdict = proxy_header_read(data, &header);
    if (verdict != expected)
        fail_msg("verdict %d instead of %d for %zu bytes: %.*s", (int)verdict, (int)expected, data.len, (int)data.len,
                 (const char *)data.data);
}

static const char *client_text(const struct proxy_header *header, char out[static 64])
{
    char address[INET6_ADDRSTRLEN] = "none";
    unsigned port = 0;
    if (header->client.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &header->client.v4.sin_addr, address, sizeof address);
        port = ntohs(header->client.v4.sin_port);
    } else if (header->client.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &header->client.v6.sin6_addr, address, sizeof address);
        port = ntohs(header->client.v6.sin6_port);
    }
    snprintf(out, 64, "%s %u", address, port);
    return out;
}

/* Whole, and whole with more behind it; each beginning of it waits for more. */
static void assert_client(struct bytes data, size_t header_len, const char *expected)
{
    struct proxy_header header;
    char text[64];
    for (size_t len = 0; len <= data.len; len++) {
        uint8_t *copy = malloc(len + (len == 0)); /* of exactly this size, so that reading behind it is found */
        memcpy(copy, data.data, len);
        enum proxy_verdict verdict = proxy_header_read(bytes_of(copy, len), &header);
        free(copy);
        assert_int_equal(verdict, len < header_len ? PROXY_INCOMPLETE : PROXY_COMPLETE);
        if (verdict != PROXY_COMPLETE)
            continue;
        assert_int_equal(header.len, header_len);
        assert_string_equal(client_text(&header, text), expected);
    }
}

static void a_line_names_the_client(void **state)
{
    (void)state;
    static const struct {
        const char *line, *client;
    } rows[] = {
        { "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7 56324" },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255 65535" },
        { "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0 0" },
        { "PROXY TCP6 2001:db8::7 2001:DB8::1 1 443\r\n", "2001:db8::7 1" },
        { "PROXY TCP6 ::ffff:192.0.2.7 ::1 1 443\r\n", "::ffff:192.0.2.7 1" },
        { "PROXY TCP6 " HEX_8 " " HEX_8 " 65535 65535\r\n", HEX_8 " 65535" },
        { "PROXY UNKNOWN\r\n", "none 0" },
        { "PROXY UNKNOWN \r\n", "none 0" },
        { "PROXY UNKNOWN what ever, this is\r\n", "none 0" },
        { "PROXY UNKNOWN " HEX_8 " " HEX_8 " 65535 65535\r\n", "none 0" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char data[256];
        int len = snprintf(data, sizeof data, "%s" HELLO, rows[i].line);
        assert_client(bytes_of(data, (size_t)len), strlen(rows[i].line), rows[i].client);
    }
}

static void a_line_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY \r\n",
        "PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 \r\n",
        "PROXY TCP4 192.0.2.7\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 \r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n",
        "PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7\t198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1.1 1 2\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        "PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY TCP6 2001:db8::7 198.51.100.1 1 2\r\n",
        "PROXY TCP6 fe80::1%lo fe80::2 1 2\r\n",
        "PROXY TCP6 [2001:db8::7] ::1 1 2\r\n",
        "PROXY TCP6 2001::db8::7 ::1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 00\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 x\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 1 123456\r\n",
        "PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UNKNOW\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWN\rx",
        "PROXY UNKNOWN \n\r\n",
        "PROXY UNKNOWN \r\r\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_verdict(bytes_text(lines[i]), PROXY_MALFORMED);
    assert_verdict(RAW("PROXY TCP4 192.0.2.7\0 198.51.100.1 1 2\r\n"), PROXY_MALFORMED);
    assert_verdict(RAW("PROXY TCP4 192.0.2.7 198.51.100.1 1\0 2\r\n"), PROXY_MALFORMED);
}

static void a_line_has_107_bytes_at_most(void **state)
{
    (void)state;
    char line[PROXY_LINE_MAX_BYTES + 2];
    struct proxy_header header;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES - 1), PROXY_INCOMPLETE);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES), PROXY_MALFORMED);
    memcpy(line + PROXY_LINE_MAX_BYTES - 1, "\r\n", 2);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES - 1), PROXY_INCOMPLETE);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES), PROXY_MALFORMED);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES + 1), PROXY_MALFORMED);
    memcpy(line + PROXY_LINE_MAX_BYTES - 2, "\r\n", 2);
    assert_verdict(bytes_of(line, PROXY_LINE_MAX_BYTES - 1), PROXY_INCOMPLETE);
    assert_int_equal(proxy_header_read(bytes_of(line, sizeof line), &header), PROXY_COMPLETE);
    assert_int_equal(header.len, PROXY_LINE_MAX_BYTES);
}

static void a_binary_header_names_the_client(void **state)
{
    (void)state;
    const struct {
        struct bytes data;
        const char *client;
    } rows[] = {
        { RAW(SIGNATURE "\x21\x11\x00\x0c" IPV4 HELLO), "192.0.2.7 56324" },
        { RAW(SIGNATURE "\x21\x11\x00\x10" IPV4 "\x04\x00\x01\x00" HELLO), "192.0.2.7 56324" },
        { RAW(SIGNATURE "\x21\x11\x00\x0f" IPV4 "\xff\xff\xff" HELLO), "192.0.2.7 56324" }, /* a TLV that is none */
        { RAW(SIGNATURE "\x21\x21\x00\x24" IPV6_1 IPV6_2 "\xdc\x04\x01\xbb" HELLO), "2001:db8::7 56324" },
        { RAW(SIGNATURE "\x20\x00\x00\x00" HELLO), "none 0" },
        { RAW(SIGNATURE "\x20\x11\x00\x0c" IPV4 HELLO), "none 0" },
        { RAW(SIGNATURE "\x20\xff\x00\x03xyz" HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x00\x00\x00" HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x00\x00\x05xxxxx" HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x12\x00\x0c" IPV4 HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x10\x00\x0c" IPV4 HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x01\x00\x0c" IPV4 HELLO), "none 0" },
        { RAW(SIGNATURE "\x21\x31\x00\x0a" DIGITS_10 HELLO), "none 0" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_client(rows[i].data, rows[i].data.len - strlen(HELLO), rows[i].client);
}

static void a_binary_header_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    assert_verdict(RAW(SIGNATURE "\x11"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x31"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x01"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x22"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x2f"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x41\x00\x00"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x13\x00\x0c" IPV4), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\xff\x00\x00"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x11\x00\x00"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x11\x00\x0b" IPV4), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x21\x00\x23" IPV6_1 IPV6_2 "\xdc\x04\x01"), PROXY_MALFORMED);
    assert_verdict(RAW(SIGNATURE "\x21\x11\xff\xff"), PROXY_MALFORMED);
}

static void a_binary_header_has_a_bound(void **state)
{
    (void)state;
    uint8_t data[PROXY_HEADER_MAX_BYTES + 1] = { 0 };
    struct proxy_header header;
    memcpy(data, SIGNATURE "\x21\x11\x07\xf0" IPV4, 28);
    assert_verdict(bytes_of(data, PROXY_HEADER_MAX_BYTES - 1), PROXY_INCOMPLETE);
    assert_int_equal(proxy_header_read(bytes_of(data, sizeof data), &header), PROXY_COMPLETE);
    assert_int_equal(header.len, PROXY_HEADER_MAX_BYTES);
    data[15]++;
    assert_verdict(bytes_of(data, 16), PROXY_MALFORMED);
}

static void what_begins_otherwise_has_none(void **state)
{
    (void)state;
    assert_verdict(RAW(HELLO), PROXY_ABSENT);
    assert_verdict(RAW("G"), PROXY_ABSENT);
    assert_verdict(RAW("GET / HTTP/1.1\r\n"), PROXY_ABSENT);
    assert_verdict(RAW("POST / HTTP/1.1\r\n"), PROXY_ABSENT);
    assert_verdict(RAW("PROXY\r\n"), PROXY_ABSENT);
    assert_verdict(RAW("proxy TCP4"), PROXY_ABSENT);
    assert_verdict(RAW("\r\n\r\n\1"), PROXY_ABSENT);
    assert_verdict(RAW("\r\n\r\n\0\r\nQUIT\r"), PROXY_ABSENT);
    assert_verdict(RAW("\0"), PROXY_ABSENT);
    assert_verdict(RAW(" PROXY UNKNOWN\r\n"), PROXY_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_the_client),
        cmocka_unit_test(a_line_that_is_not_exact_is_refused),
        cmocka_unit_test(a_line_has_107_bytes_at_most),
        cmocka_unit_test(a_binary_header_names_the_client),
        cmocka_unit_test(a_binary_header_that_is_not_exact_is_refused),
        cmocka_unit_test(a_binary_header_has_a_bound),
        cmocka_unit_test(what_begins_otherwise_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
