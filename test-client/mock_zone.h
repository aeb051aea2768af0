/* A made-up DNS: every name exists, most of them with default addresses, and what a test says about a name is true at
 * once (TTL 0, unless it says another). Names are compared without regard to case and last dot. Not thread-safe.
 *
 * "*.NAME" stands for every name below NAME that nothing was said about, the nearest one counts, and "*" stands for
 * all. */
#pragma once

#include "test-client/dns_signer.h"

struct mock_zone;

MUST_USE struct mock_zone *mock_zone_create(void);
void mock_zone_drop(struct mock_zone *zone);
DEFINE_DROP(mock_zone, mock_zone_drop)
void mock_zone_reset(struct mock_zone *zone); /* as created */

/* Names that are not names, a full zone and memory that is out give false. */
MUST_USE bool mock_zone_add(struct mock_zone *zone, const char *name, enum dns_type type, struct bytes rdata);
/* What a name has when it has no addresses of its own; `type` is A or AAAA. Empty rdata: none. */
MUST_USE bool mock_zone_set_default(struct mock_zone *zone, enum dns_type type, struct bytes rdata);

void mock_zone_remove(struct mock_zone *zone, const char *name, enum dns_type type, struct bytes rdata);
void mock_zone_clear(struct mock_zone *zone, const char *name, enum dns_type type);
/* Of the records that the name has of that type (RFC 2181 §5.2: they have one TTL), and of those that join them. */
void mock_zone_set_ttl(struct mock_zone *zone, const char *name, enum dns_type type, uint32_t ttl);

/* What goes wrong with a name, the first before the next: SERVFAIL, NXDOMAIN, and a dns_flaw of the signatures in
 * answers for it, a zone's apex standing for its key. 0 is none. */
enum mock_trouble { MOCK_SERVFAIL, MOCK_NXDOMAIN, MOCK_FLAW, MOCK_TROUBLES };
MUST_USE bool mock_zone_set_trouble(struct mock_zone *zone, const char *name, enum mock_trouble trouble,
                                    unsigned value);

/* Signs a name and all below it; "." signs everything. One key, made with the first, serves all. */
MUST_USE bool mock_zone_sign(struct mock_zone *zone, const char *name);
void mock_zone_unsign(struct mock_zone *zone, const char *name);
/* "NAME. IN DS TAG 13 2 DIGEST": what a resolver must trust. False when the zone is not signed. */
MUST_USE bool mock_zone_trust_anchor(const struct mock_zone *zone, const char *name, struct buf *out);
/* Those of all signed zones, sorted by name. False when memory is out. */
MUST_USE bool mock_zone_each_anchor(const struct mock_zone *zone, void (*show)(void *arg, const char *anchor),
                                    void *arg);

/* The answer to a query, written to `out`; only header and question with TC when it is more than the transport takes.
 * Empty when there is nothing to answer. */
enum dns_transport { DNS_OVER_UDP, DNS_OVER_STREAM };
void mock_zone_answer(const struct mock_zone *zone, struct bytes query, enum dns_transport transport, struct buf *out);
/* The same with this rcode and nothing else. */
void mock_zone_refuse(struct bytes query, enum dns_rcode rcode, struct buf *out);
