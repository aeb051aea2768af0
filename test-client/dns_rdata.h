/* The data of DNS records, from texts to wire form. False when the text is none, or does not fit. */
#pragma once

#include "test-client/dns_wire.h"

MUST_USE bool dns_rdata_address(enum dns_type type, const char *text, struct buf *out); /* A or AAAA */
MUST_USE bool dns_rdata_name(const char *name, struct buf *out);                        /* CNAME */
MUST_USE bool dns_rdata_txt(struct bytes value, struct buf *out);                       /* in strings of 255 bytes */
MUST_USE bool dns_rdata_caa(const char *tag, const char *value, struct buf *out);       /* RFC 8659 §4.1, flags 0 */
