/* An address to listen on, as text: HOST:PORT, [IPV6]:PORT, :PORT for every address, unix:PATH. */
#pragma once

#include "base/macros.h"

enum { ENDPOINT_HOST_SIZE = 254 };

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; /* without brackets; "" for every address */
    uint16_t port;
    bool ipv6;
    const char *path; /* of a Unix socket, inside the text that was read; NULL for TCP */
};

/* False when it is none of these. */
MUST_USE bool endpoint_read(const char *text, struct endpoint *out);
/* True for "", "0.0.0.0" and "::", under which nobody can reach us by that name. */
bool endpoint_is_everywhere(const struct endpoint *endpoint);

/* Labels of letters, digits, '-' and '_': what may be looked up in DNS (RFC 2181 §11 is laxer still). */
bool dns_name_ok(const char *name);
bool ip_address_ok(const char *text);
