#include "test-client/dns_wire.h"

#include <ctype.h>

enum { LABEL_MAX = 63, POINTER = 0xc0, OPCODE_QUERY = 0, EDNS_DO = 0x8000 };

static bool read_u8(struct dns_reader *reader, uint8_t *out)
{
    TRY(reader->at < reader->message.len);
    *out = reader->message.data[reader->at++];
    return true;
}

static bool read_u16(struct dns_reader *reader, uint16_t *out)
{
    uint8_t high, low;
    TRY(read_u8(reader, &high) && read_u8(reader, &low));
    *out = (uint16_t)(high << 8 | low);
    return true;
}

static bool read_u32(struct dns_reader *reader, uint32_t *out)
{
    uint16_t high, low;
    TRY(read_u16(reader, &high) && read_u16(reader, &low));
    *out = (uint32_t)high << 16 | low;
    return true;
}

bool dns_read_header(struct dns_reader *reader, struct dns_header *out)
{
    struct dns_header header;
    TRY(read_u16(reader, &header.id) && read_u16(reader, &header.flags));
    for (size_t i = 0; i < DNS_SECTIONS; i++)
        TRY(read_u16(reader, &header.counts[i]));
    *out = header;
    return true;
}

/* A name's text while it is put together. */
struct name_text {
    char *text;
    size_t len, wire_len;
};

static void put_byte(struct name_text *name, uint8_t byte)
{
    char *end = name->text + name->len;
    if (byte == '.' || byte == '\\') {
        end[0] = '\\';
        end[1] = (char)byte;
        name->len += 2;
    } else if (byte > ' ' && byte < 0x7f) {
        end[0] = (char)byte;
        name->len += 1;
    } else {
        end[0] = '\\';
        end[1] = (char)('0' + byte / 100);
        end[2] = (char)('0' + byte / 10 % 10);
        end[3] = (char)('0' + byte % 10);
        name->len += 4;
    }
}

static bool put_label(struct name_text *name, struct bytes label)
{
    name->wire_len += 1 + label.len;
    TRY(name->wire_len < DNS_NAME_WIRE_MAX); /* the root's length byte is still to come */
    if (name->len > 0)
        name->text[name->len++] = '.';
    for (size_t i = 0; i < label.len; i++)
        put_byte(name, label.data[i]);
    return true;
}

/* RFC 1035 §4.1.4. A pointer must lead in front of where this run of labels began, so no loop is possible. */
static bool follow_pointer(struct dns_reader *from, uint8_t high, size_t *start)
{
    uint8_t low;
    TRY(read_u8(from, &low));
    size_t target = (size_t)(high & ~POINTER) << 8 | low;
    TRY(target < *start);
    from->at = *start = target;
    return true;
}

bool dns_read_name(struct dns_reader *reader, char out[static DNS_NAME_SIZE])
{
    struct name_text name = { .text = out };
    struct dns_reader at = *reader;
    size_t start = at.at, behind = 0; /* where reading goes on: behind the first pointer, if there is one */
    for (uint8_t len; read_u8(&at, &len);) {
        if (len == 0) {
            out[name.len] = '\0';
            reader->at = behind != 0 ? behind : at.at;
            return true;
        }
        if (len >= POINTER) {
            behind = behind != 0 ? behind : at.at + 1;
            TRY(follow_pointer(&at, len, &start));
            continue;
        }
        TRY(len <= LABEL_MAX && at.message.len - at.at >= len &&
            put_label(&name, bytes_of(at.message.data + at.at, len)));
        at.at += len;
    }
    return false;
}

bool dns_read_question(struct dns_reader *reader, struct dns_question *out)
{
    return dns_read_name(reader, out->name) && read_u16(reader, &out->type) && read_u16(reader, &out->klass);
}

bool dns_read_record(struct dns_reader *reader, struct dns_record *out)
{
    uint16_t len;
    TRY(dns_read_name(reader, out->name) && read_u16(reader, &out->type) && read_u16(reader, &out->klass) &&
        read_u32(reader, &out->ttl) && read_u16(reader, &len));
    TRY(reader->message.len - reader->at >= len);
    out->rdata = bytes_of(reader->message.data + reader->at, len);
    reader->at += len;
    return true;
}

void dns_write_u16(struct buf *out, uint16_t value)
{
    buf_char(out, (char)(value >> 8));
    buf_char(out, (char)value);
}

void dns_write_u32(struct buf *out, uint32_t value)
{
    dns_write_u16(out, (uint16_t)(value >> 16));
    dns_write_u16(out, (uint16_t)value);
}

void dns_write_header(struct buf *out, const struct dns_header *header)
{
    dns_write_u16(out, header->id);
    dns_write_u16(out, header->flags);
    for (size_t i = 0; i < DNS_SECTIONS; i++)
        dns_write_u16(out, header->counts[i]);
}

/* One byte of a label's text, escapes undone. False at a broken escape. */
static bool unescape(const char **text, uint8_t *out)
{
    const char *at = *text;
    if (*at != '\\') {
        *out = (uint8_t)*at;
        *text = at + 1;
        return true;
    }
    TRY(at[1] != '\0');
    if (!isdigit((unsigned char)at[1])) {
        *out = (uint8_t)at[1];
        *text = at + 2;
        return true;
    }
    TRY(isdigit((unsigned char)at[2]) && isdigit((unsigned char)at[3]));
    int value = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
    TRY(value <= UINT8_MAX);
    *out = (uint8_t)value;
    *text = at + 4;
    return true;
}

static bool label_to_wire(const char **text, uint8_t out[static 1 + LABEL_MAX])
{
    size_t len = 0;
    while (**text != '\0' && **text != '.') {
        TRY(len < LABEL_MAX && unescape(text, &out[1 + len]));
        len++;
    }
    out[0] = (uint8_t)len;
    return len > 0;
}

static bool name_to_wire(const char *name, uint8_t out[static DNS_NAME_WIRE_MAX], size_t *out_len)
{
    size_t len = 0;
    if (strcmp(name, ".") == 0)
        name++;
    while (*name != '\0') {
        uint8_t label[1 + LABEL_MAX];
        TRY(label_to_wire(&name, label));
        TRY(len + 1 + label[0] < DNS_NAME_WIRE_MAX);
        memcpy(out + len, label, 1 + label[0]);
        len += 1 + label[0];
        if (*name == '.')
            name++;
    }
    out[len++] = 0;
    *out_len = len;
    return true;
}

void dns_write_name(struct buf *out, const char *name)
{
    uint8_t wire[DNS_NAME_WIRE_MAX];
    size_t len;
    if (name == DNS_NAME_OF_QUESTION)
        dns_write_u16(out, POINTER << 8 | DNS_HEADER_BYTES);
    else if (name_to_wire(name, wire, &len))
        buf_append(out, wire, len);
    else
        out->failed = true;
}

bool dns_name_canonical(const char *text, char out[static DNS_NAME_SIZE])
{
    uint8_t wire[DNS_NAME_WIRE_MAX];
    size_t len;
    TRY(name_to_wire(text, wire, &len));
    struct dns_reader reader = { bytes_of(wire, len), 0 };
    CHECK(dns_read_name(&reader, out));
    for (char *at = out; *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
    return true;
}

const char *dns_type_text(uint16_t type)
{
    switch (type) {
#define X(name, number)                                                                                                \
    case number:                                                                                                       \
        return #name;
        DNS_TYPE_TABLE(X)
#undef X
    }
    return NULL;
}

const char *dns_name_parent(const char *name)
{
    if (*name == '\0')
        return NULL;
    while (*name != '\0' && *name != '.')
        name += name[0] == '\\' && name[1] != '\0' ? 2 : 1;
    return *name == '.' ? name + 1 : name;
}

bool dns_name_is_within(const char *name, const char *zone)
{
    while (name != NULL && strcmp(name, zone) != 0)
        name = dns_name_parent(name);
    return name != NULL;
}

size_t dns_name_labels(const char *name)
{
    size_t labels = 0;
    while ((name = dns_name_parent(name)) != NULL)
        labels++;
    return labels;
}

void dns_write_record(struct buf *out, const char *name, uint16_t type, uint32_t ttl, struct bytes rdata)
{
    CHECK(rdata.len <= UINT16_MAX);
    dns_write_name(out, name);
    dns_write_u16(out, type);
    dns_write_u16(out, DNS_CLASS_IN);
    dns_write_u32(out, ttl);
    dns_write_u16(out, (uint16_t)rdata.len);
    buf_append(out, rdata.data, rdata.len);
}

/* RFC 6891 §6.1.2: the OPT record's class is a size, its TTL holds version and flags. */
static void take_edns(struct dns_query *query, const struct dns_record *opt)
{
    bool second = query->edns, wrong_owner = opt->name[0] != '\0';
    query->edns = true;
    query->udp_bytes = opt->klass > DNS_UDP_BYTES ? opt->klass : DNS_UDP_BYTES;
    query->dnssec_ok = (opt->ttl & EDNS_DO) != 0;
    if (second || wrong_owner) /* §6.1.1 */
        query->rcode = DNS_FORMERR;
    else if ((opt->ttl >> 16 & 0xff) != 0)
        query->rcode = DNS_BADVERS;
}

static bool read_rest(struct dns_reader *reader, struct dns_query *query)
{
    size_t records = (size_t)query->header.counts[DNS_ANSWERS] + query->header.counts[DNS_AUTHORITIES];
    size_t all = records + query->header.counts[DNS_ADDITIONALS];
    for (size_t i = 0; i < all; i++) {
        struct dns_record record;
        TRY(dns_read_record(reader, &record));
        if (record.type != DNS_OPT)
            continue;
        TRY(i >= records);
        take_edns(query, &record);
    }
    return reader->at == reader->message.len;
}

/* Nothing stands in front of the first name that a pointer could lead to but the header, and answers have another. */
static bool is_uncompressed(const struct dns_question *question, size_t wire_bytes)
{
    uint8_t wire[DNS_NAME_WIRE_MAX];
    size_t len;
    return name_to_wire(question->name, wire, &len) && wire_bytes == len + sizeof question->type + sizeof question->klass;
}

bool dns_query_parse(struct bytes message, struct dns_query *out)
{
    struct dns_reader reader = { message, 0 };
    *out = (struct dns_query) { .udp_bytes = DNS_UDP_BYTES };
    TRY(dns_read_header(&reader, &out->header) && (out->header.flags & DNS_QR) == 0);
    if ((out->header.flags & DNS_OPCODE) != OPCODE_QUERY) {
        out->rcode = DNS_NOTIMP;
        return true;
    }
    if (out->header.counts[DNS_QUESTIONS] != 1 || !dns_read_question(&reader, &out->question) ||
        !is_uncompressed(&out->question, reader.at - DNS_HEADER_BYTES)) {
        out->rcode = DNS_FORMERR;
        return true;
    }
    out->question_wire = bytes_of(message.data + DNS_HEADER_BYTES, reader.at - DNS_HEADER_BYTES);
    if (!read_rest(&reader, out))
        out->rcode = DNS_FORMERR;
    return true;
}
