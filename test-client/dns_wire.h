/* DNS messages in wire form (RFC 1035 §4, EDNS of RFC 6891): bounded reading that follows compressed names only
 * backwards, and writing. Names are texts without the last dot ("" is the root), with \DDD for bytes that are not
 * printable, and \. \\ for those that would mislead. */
#pragma once

#include "base/buf.h"

#define DNS_TYPE_TABLE(X)                                                                                              \
    X(A, 1)                                                                                                            \
    X(NS, 2)                                                                                                           \
    X(CNAME, 5)                                                                                                        \
    X(SOA, 6)                                                                                                          \
    X(PTR, 12)                                                                                                         \
    X(MX, 15)                                                                                                          \
    X(TXT, 16)                                                                                                         \
    X(AAAA, 28)                                                                                                        \
    X(SRV, 33)                                                                                                         \
    X(OPT, 41)                                                                                                         \
    X(DS, 43)                                                                                                          \
    X(RRSIG, 46)                                                                                                       \
    X(NSEC, 47)                                                                                                        \
    X(DNSKEY, 48)                                                                                                      \
    X(CAA, 257)

enum dns_type {
#define X(name, number) DNS_##name = number,
    DNS_TYPE_TABLE(X)
#undef X
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_BADVERS = 16
};

enum { DNS_QR = 0x8000, DNS_OPCODE = 0x7800, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080 };
enum { DNS_CLASS_IN = 1, DNS_HEADER_BYTES = 12, DNS_UDP_BYTES = 512, DNS_MESSAGE_MAX = 65535 };
enum { DNS_NAME_WIRE_MAX = 255, DNS_NAME_SIZE = 1024 }; /* 253 bytes written \DDD, dots and NUL fit */

enum dns_section { DNS_QUESTIONS, DNS_ANSWERS, DNS_AUTHORITIES, DNS_ADDITIONALS, DNS_SECTIONS };

struct dns_header {
    uint16_t id, flags, counts[DNS_SECTIONS];
};

struct dns_question {
    char name[DNS_NAME_SIZE]; /* case as sent */
    uint16_t type, klass;
};

struct dns_record {
    char name[DNS_NAME_SIZE];
    uint16_t type, klass;
    uint32_t ttl;
    struct bytes rdata; /* a view into the message */
};

struct dns_reader {
    struct bytes message;
    size_t at;
};

/* Each reads one thing and moves on; false when it is cut short or malformed. */
MUST_USE bool dns_read_header(struct dns_reader *reader, struct dns_header *out);
MUST_USE bool dns_read_name(struct dns_reader *reader, char out[static DNS_NAME_SIZE]);
MUST_USE bool dns_read_question(struct dns_reader *reader, struct dns_question *out);
MUST_USE bool dns_read_record(struct dns_reader *reader, struct dns_record *out);

const char *dns_type_text(uint16_t type); /* NULL: not in the table */

/* Lower case, one spelling of escapes, no last dot. False when `text` is no name. */
MUST_USE bool dns_name_canonical(const char *text, char out[static DNS_NAME_SIZE]);

/* The name above, a part of the text; NULL for the root. */
const char *dns_name_parent(const char *name);
/* Whether `name` is `zone` or below it; both canonical. */
bool dns_name_is_within(const char *name, const char *zone);
size_t dns_name_labels(const char *name);

/* Errors stick to the buf. Names are written uncompressed; DNS_NAME_OF_QUESTION points at the question's. */
#define DNS_NAME_OF_QUESTION NULL
void dns_write_u16(struct buf *out, uint16_t value);
void dns_write_u32(struct buf *out, uint32_t value);
void dns_write_header(struct buf *out, const struct dns_header *header);
void dns_write_name(struct buf *out, const char *name);
void dns_write_record(struct buf *out, const char *name, uint16_t type, uint32_t ttl, struct bytes rdata);

/* A query as a server sees it. */
struct dns_query {
    struct dns_header header;
    struct dns_question question;
    struct bytes question_wire; /* for the answer, which repeats it (0x20 case included) */
    bool edns, dnssec_ok;
    uint16_t udp_bytes;   /* what the sender takes over UDP */
    enum dns_rcode rcode; /* not NOERROR: the query is to be refused with it; question_wire may then be empty */
};

/* False when there is nothing to answer: shorter than a header, or itself an answer. */
MUST_USE bool dns_query_parse(struct bytes message, struct dns_query *out);
