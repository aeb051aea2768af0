/* Hosts as keys: what a client sent, and what a test says, in one spelling. */
#pragma once

#include "test-client/dns_wire.h"

/* The canonical name; what is no name (an IPv6 address, nonsense) in lower case, and cut where it is too long. */
void cts_host_key(struct bytes host, char out[static DNS_NAME_SIZE]);
/* "www.test:5002" without its port, "[::1]:80" without port and brackets. */
struct bytes cts_host_without_port(struct bytes host);
