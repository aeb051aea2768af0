/* Readers of what a TLS client says first, out of the bytes of its extensions. */
#pragma once

#include "base/bytes.h"

/* server_name (RFC 6066 §3): the one host name. False when there is none, or it is malformed. */
MUST_USE bool tls_hello_server_name(struct bytes extension, struct bytes *out);

/* application_layer_protocol_negotiation (RFC 7301 §3.1): the list, and then its names one after the other. False when
 * it is malformed, or at the end. */
MUST_USE bool tls_hello_protocols(struct bytes extension, struct bytes *out_list);
MUST_USE bool tls_hello_next_protocol(struct bytes *list, struct bytes *out);
