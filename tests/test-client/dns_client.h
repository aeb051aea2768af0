/* DNS questions of a test, and answers as texts to compare. */
#pragma once

#include "test-client/dns_wire.h"

/* A query with RD; `udp_bytes` 0 leaves EDNS out. */
void dns_client_query(struct buf *out, const char *name, uint16_t type, uint16_t udp_bytes);

/* "NOERROR aa ra | a.test TXT 0 02:6869 | …": rcode, flags that are set, then each answer; authorities follow behind
 * "auth", the additional section is left out. Fails the test when the message is malformed. */
void dns_client_text(struct bytes answer, struct buf *out);
