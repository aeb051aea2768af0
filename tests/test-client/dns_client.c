#include "tests/test-client/dns_client.h"

#include "base/encode.h"

void dns_client_query(struct buf *out, const char *name, uint16_t type, uint16_t udp_bytes)
{
    buf_clear(out);
    dns_write_header(out, &(struct dns_header) {
                              .id = 0x4711,
                              .flags = DNS_RD,
                              .counts = { [DNS_QUESTIONS] = 1, [DNS_ADDITIONALS] = udp_bytes != 0 },
                          });
    dns_write_name(out, name);
    dns_write_u16(out, type);
    dns_write_u16(out, DNS_CLASS_IN);
    if (udp_bytes == 0)
        return;
    dns_write_name(out, "");
    dns_write_u16(out, DNS_OPT);
    dns_write_u16(out, udp_bytes);
    dns_write_u32(out, 0);
    dns_write_u16(out, 0);
}

static const char *type_text(uint16_t type)
{
    const char *text = dns_type_text(type);
    return text != NULL ? text : "other";
}

static const char *rcode_text(unsigned rcode)
{
    static const char *const texts[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };
    CHECK(rcode < ARRAY_SIZE(texts));
    return texts[rcode];
}

static void records_text(struct dns_reader *reader, unsigned count, bool shown, struct buf *out)
{
    for (unsigned i = 0; i < count; i++) {
        struct dns_record record;
        CHECK(dns_read_record(reader, &record));
        if (!shown)
            continue;
        buf_printf(out, " | %s %s %u ", record.name, type_text(record.type), record.ttl);
        buf_hex(out, record.rdata);
    }
}

void dns_client_text(struct bytes answer, struct buf *out)
{
    struct dns_reader reader = { answer, 0 };
    struct dns_header header;
    CHECK(dns_read_header(&reader, &header) && header.id == 0x4711 && (header.flags & DNS_QR) != 0);
    for (unsigned i = 0; i < header.counts[DNS_QUESTIONS]; i++) {
        struct dns_question question;
        CHECK(dns_read_question(&reader, &question));
    }
    buf_clear(out);
    buf_printf(out, "%s%s%s%s", rcode_text(header.flags & 0xf), (header.flags & DNS_AA) != 0 ? " aa" : "",
               (header.flags & DNS_TC) != 0 ? " tc" : "", (header.flags & DNS_RA) != 0 ? " ra" : "");
    records_text(&reader, header.counts[DNS_ANSWERS], true, out);
    if (header.counts[DNS_AUTHORITIES] > 0)
        buf_text(out, " auth");
    records_text(&reader, header.counts[DNS_AUTHORITIES], false, out);
    records_text(&reader, header.counts[DNS_ADDITIONALS], false, out);
    CHECK(reader.at == answer.len);
}
