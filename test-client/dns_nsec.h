/* Signed proof that there is nothing (RFC 4034 §4), made for each answer (RFC 4470): the names around a name, so close
 * that next to nothing lies between. Names are canonical. */
#pragma once

#include "test-client/dns_wire.h"

/* A sibling that sorts a little in front of `name` (its parent, in front of all siblings), or behind it and all below
 * it; the first name below it. False where there is no such name, or no room for it. */
MUST_USE bool dns_nsec_before(const char *name, char out[static DNS_NAME_SIZE]);
MUST_USE bool dns_nsec_behind(const char *name, char out[static DNS_NAME_SIZE]);
MUST_USE bool dns_nsec_below(const char *name, char out[static DNS_NAME_SIZE]);

/* The rdata; `types` in any order, doubles allowed. */
void dns_nsec_rdata(struct buf *out, const char *next, const uint16_t *types, size_t count);
