/* Reading the identifiers that a client asks for (RFC 8555 §7.4, RFC 9444 §4.1). */
#pragma once

#include "server/protocol/authorization.h"

/* One {"type", "value"}. False: malformed or of an unknown type. True with a non-empty `why`: the value is refused, and
 * the caller decides whether alone or with others. */
MUST_USE bool identifier_read(struct request *rq, const json_t *entry, struct acme_identifier *out,
                              char why[static IDENTIFIER_WHY_SIZE]);

/* The payload's "identifiers", sorted and unique, with what must be proved for each. Several refusals come as
 * subproblems. */
struct asked {
    struct identifiers identifiers;
    struct authorization_wish *wishes; /* unique; at most one for each identifier */
    size_t wish_count;
};
MUST_USE bool identifiers_read(struct request *rq, size_t most, struct asked *out);
