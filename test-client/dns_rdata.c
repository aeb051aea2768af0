#include "test-client/dns_rdata.h"

#include "base/encode.h"

#include <arpa/inet.h>

enum { STRING_MAX = 255 };

bool dns_rdata_address(enum dns_type type, const char *text, struct buf *out)
{
    uint8_t address[16];
    TRY(inet_pton(type == DNS_A ? AF_INET : AF_INET6, text, address) == 1);
    buf_append(out, address, type == DNS_A ? 4 : 16);
    return !out->failed;
}

bool dns_rdata_name(const char *name, struct buf *out)
{
    char canonical[DNS_NAME_SIZE];
    TRY(dns_name_canonical(name, canonical));
    dns_write_name(out, canonical);
    return !out->failed;
}

static void write_string(struct bytes string, struct buf *out)
{
    buf_char(out, (char)string.len);
    buf_append(out, string.data, string.len);
}

bool dns_rdata_txt(struct bytes value, struct buf *out)
{
    for (; value.len > STRING_MAX; value = bytes_of(value.data + STRING_MAX, value.len - STRING_MAX))
        write_string(bytes_of(value.data, STRING_MAX), out);
    write_string(value, out); /* an empty value is one empty string (RFC 1035 §3.3.14 wants at least one) */
    return !out->failed;
}

bool dns_rdata_caa(const char *tag, const char *value, struct buf *out)
{
    size_t len = strlen(tag);
    TRY(len > 0 && len <= STRING_MAX);
    for (size_t i = 0; i < len; i++)
        TRY((tag[i] >= '0' && tag[i] <= '9') || ((tag[i] | 0x20) >= 'a' && (tag[i] | 0x20) <= 'z'));
    buf_char(out, 0);
    write_string(bytes_of(tag, len), out);
    buf_text(out, value);
    return !out->failed;
}

bool dns_rdata_mx(uint16_t preference, const char *exchange, struct buf *out)
{
    dns_write_u16(out, preference);
    return dns_rdata_name(exchange, out);
}

bool dns_rdata_srv(const struct dns_srv *srv, struct buf *out)
{
    dns_write_u16(out, srv->priority);
    dns_write_u16(out, srv->weight);
    dns_write_u16(out, srv->port);
    return dns_rdata_name(srv->target, out);
}

bool dns_rdata_soa(const struct dns_soa *soa, struct buf *out)
{
    TRY(dns_rdata_name(soa->mname, out) && dns_rdata_name(soa->rname, out));
    const uint32_t numbers[] = { soa->serial, soa->refresh, soa->retry, soa->expire, soa->minimum };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        dns_write_u32(out, numbers[i]);
    return !out->failed;
}

/* ---- back to text; one letter a field: n name, 2 and 4 numbers of so many bytes, 1 one of a byte, s string, t strings
 * to the end, r the rest in quotes, h the rest in hexadecimal, a and A an address */

static const struct {
    enum dns_type type;
    const char *fields;
} formats[] = {
    { DNS_A, "a" },     { DNS_AAAA, "A" },  { DNS_NS, "n" },        { DNS_CNAME, "n" },
    { DNS_PTR, "n" },   { DNS_MX, "2n" },   { DNS_SRV, "222n" },    { DNS_TXT, "t" },
    { DNS_CAA, "1sr" }, { DNS_DS, "211h" }, { DNS_SOA, "nn44444" },
};

static bool name_text(struct dns_reader *reader, struct buf *out)
{
    char name[DNS_NAME_SIZE];
    TRY(dns_read_name(reader, name));
    buf_printf(out, "%s.", name);
    return true;
}

static bool number_text(struct dns_reader *reader, size_t bytes, struct buf *out)
{
    uint32_t value = 0;
    TRY(reader->message.len - reader->at >= bytes);
    while (bytes-- > 0)
        value = value << 8 | reader->message.data[reader->at++];
    buf_printf(out, "%u", value);
    return true;
}

static bool address_text(struct dns_reader *reader, int family, struct buf *out)
{
    size_t len = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    char text[INET6_ADDRSTRLEN];
    TRY(reader->message.len - reader->at >= len);
    CHECK(inet_ntop(family, reader->message.data + reader->at, text, sizeof text) != NULL);
    reader->at += len;
    buf_text(out, text);
    return true;
}

static bool string_text(struct dns_reader *reader, struct buf *out)
{
    TRY(reader->at < reader->message.len);
    size_t len = reader->message.data[reader->at++];
    TRY(reader->message.len - reader->at >= len);
    buf_append(out, reader->message.data + reader->at, len);
    reader->at += len;
    return true;
}

static bool strings_text(struct dns_reader *reader, struct buf *out)
{
    do {
        TRY(string_text(reader, out));
    } while (reader->at < reader->message.len);
    return true;
}

static bool rest_text(struct dns_reader *reader, char field, struct buf *out)
{
    struct bytes rest = bytes_of(reader->message.data + reader->at, reader->message.len - reader->at);
    reader->at = reader->message.len;
    if (field == 'h') {
        buf_hex(out, rest);
        return true;
    }
    buf_char(out, '"');
    buf_append(out, rest.data, rest.len);
    buf_char(out, '"');
    return true;
}

static bool field_text(struct dns_reader *reader, char field, struct buf *out)
{
    switch (field) {
    case 'n':
        return name_text(reader, out);
    case 's':
        return string_text(reader, out);
    case 't':
        return strings_text(reader, out);
    case 'r':
    case 'h':
        return rest_text(reader, field, out);
    case 'a':
    case 'A':
        return address_text(reader, field == 'a' ? AF_INET : AF_INET6, out);
    default:
        return number_text(reader, (size_t)(field - '0'), out);
    }
}

bool dns_rdata_text(enum dns_type type, struct bytes rdata, struct buf *out)
{
    struct dns_reader reader = { rdata, 0 };
    const char *field = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        field = formats[i].type == type ? formats[i].fields : field;
    TRY(field != NULL);
    for (const char *first = field; *field != '\0'; field++) {
        if (field != first)
            buf_char(out, ' ');
        TRY(field_text(&reader, *field, out));
    }
    return reader.at == rdata.len && !out->failed;
}
