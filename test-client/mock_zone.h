/* A made-up DNS: every name exists, most of them with default addresses, and what a test says about a name is true at
 * once (TTL 0). Names are compared without regard to case and last dot. Not thread-safe. */
#pragma once

#include "test-client/dns_wire.h"

struct mock_zone;

MUST_USE struct mock_zone *mock_zone_create(void);
void mock_zone_drop(struct mock_zone *zone);
DEFINE_DROP(mock_zone, mock_zone_drop)

/* Names that are not names, a full zone and memory that is out give false. */
MUST_USE bool mock_zone_add(struct mock_zone *zone, const char *name, enum dns_type type, struct bytes rdata);
MUST_USE bool mock_zone_set_servfail(struct mock_zone *zone, const char *name, bool servfail);
/* What a name has when it has no addresses of its own; `type` is A or AAAA. Empty rdata: none. */
MUST_USE bool mock_zone_set_default(struct mock_zone *zone, enum dns_type type, struct bytes rdata);

void mock_zone_remove(struct mock_zone *zone, const char *name, enum dns_type type, struct bytes rdata);
void mock_zone_clear(struct mock_zone *zone, const char *name, enum dns_type type);

/* The answer to a query, written to `out`; only header and question with TC when it is more than the transport takes.
 * Empty when there is nothing to answer. */
enum dns_transport { DNS_OVER_UDP, DNS_OVER_STREAM };
void mock_zone_answer(const struct mock_zone *zone, struct bytes query, enum dns_transport transport, struct buf *out);
