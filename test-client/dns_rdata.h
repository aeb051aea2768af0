/* The data of DNS records, from texts to wire form and back. */
#pragma once

#include "test-client/dns_wire.h"

/* False when the text is none, or does not fit. Names become canonical, which is the form that is signed (RFC 4034
 * §6.2). */
MUST_USE bool dns_rdata_address(enum dns_type type, const char *text, struct buf *out); /* A or AAAA */
MUST_USE bool dns_rdata_name(const char *name, struct buf *out);                        /* CNAME, NS, PTR */
MUST_USE bool dns_rdata_txt(struct bytes value, struct buf *out);                       /* in strings of 255 bytes */
MUST_USE bool dns_rdata_caa(const char *tag, const char *value, struct buf *out);       /* RFC 8659 §4.1, flags 0 */
MUST_USE bool dns_rdata_mx(uint16_t preference, const char *exchange, struct buf *out);

struct dns_srv { /* RFC 2782 */
    uint16_t priority, weight, port;
    const char *target;
};
MUST_USE bool dns_rdata_srv(const struct dns_srv *srv, struct buf *out);

struct dns_soa { /* RFC 1035 §3.3.13 */
    const char *mname, *rname;
    uint32_t serial, refresh, retry, expire, minimum;
};
MUST_USE bool dns_rdata_soa(const struct dns_soa *soa, struct buf *out);

/* As a zone file has it; TXT as its strings joined. False when `rdata` is none of that type. */
MUST_USE bool dns_rdata_text(enum dns_type type, struct bytes rdata, struct buf *out);
