/* Who really asks, when a proxy in between says so: Forwarded (RFC 7239) or X-Forwarded-*. Believed only from the
 * networks in trusted-proxies; from anyone else the headers are as if absent. A proxy must add to or replace what its
 * client sent of them. Where Forwarded is present it alone counts, and says nothing when it is malformed. */
#pragma once

#include "base/arena.h"
#include "server/settings/settings.h"

struct forwarded_headers { /* as received, repeated lines joined by commas (RFC 9110 §5.3); NULL when absent */
    const char *forwarded, *x_for, *x_proto, *x_host, *host;
};

struct forwarded {
    const char *peer;  /* address without port */
    const char *proto; /* "https" or "http" */
    const char *host;  /* with port; NULL when there is none or it is not a plain host */
};

/* True when the address (as text) is one of trusted-proxies. */
bool forwarded_trusts(const struct settings *settings, const char *address);

/* `peer` and `proto` come in as the connection has them. Texts of the result live in the arena or are the inputs. */
MUST_USE bool forwarded_resolve(struct arena *arena, const struct settings *settings,
                                const struct forwarded_headers *headers, struct forwarded *inout);
