/* What a proxy says of a connection before the connection's own bytes: the PROXY protocol (HAProxy's
 * proxy-protocol.txt), version 1, a line, or 2, binary. Exact: what differs from the text of the specification is
 * refused. */
#pragma once

#include "base/bytes.h"

#include <netinet/in.h>

enum {
    PROXY_LINE_MAX_BYTES = 107,    /* version 1, CRLF included */
    PROXY_HEADER_MAX_BYTES = 2048, /* version 2 may say up to 64 KiB of things nobody here reads */
};

enum proxy_verdict {
    PROXY_INCOMPLETE, /* all that came belongs to the header, and more of it must follow */
    PROXY_COMPLETE,
    PROXY_ABSENT, /* it begins otherwise */
    PROXY_MALFORMED,
};

struct proxy_header {
    size_t len; /* bytes of the header; what follows is the connection's */
    union {
        struct sockaddr any; /* AF_UNSPEC: the connection speaks for itself (LOCAL, UNKNOWN, no TCP) */
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } client;
};

/* What came so far, from the first byte on. PROXY_COMPLETE alone writes the header. */
MUST_USE enum proxy_verdict proxy_header_read(struct bytes data, struct proxy_header *out);
