/* An IP address as the validators use it: parsed once, shown in details, connected to. Plain data. */
#pragma once

#include "base/bytes.h"

#include <sys/socket.h>

struct val_address {
    int family; /* AF_INET or AF_INET6; AF_UNSPEC: none */
    uint8_t ip[16];
};

enum { VAL_ADDRESS_SIZE = 46, VAL_ENDPOINT_SIZE = 56, VAL_ARPA_SIZE = 80 };

/* "192.0.2.1" or "2001:db8::1", nothing else (no brackets, no zone). */
MUST_USE bool val_address_parse(const char *text, struct val_address *out);
/* From the 4 or 16 bytes of an A or AAAA record or an iPAddress name; false for another length. */
MUST_USE bool val_address_from_bytes(struct bytes bytes, struct val_address *out);
struct bytes val_address_bytes(const struct val_address *address);

const char *val_address_text(const struct val_address *address, char out[static VAL_ADDRESS_SIZE]);
/* "192.0.2.1:80", "[2001:db8::1]:80" */
const char *val_endpoint_text(const struct val_address *address, uint16_t port, char out[static VAL_ENDPOINT_SIZE]);
/* The name below in-addr.arpa or ip6.arpa that RFC 8738 §6 puts into SNI. */
const char *val_address_arpa(const struct val_address *address, char out[static VAL_ARPA_SIZE]);
socklen_t val_address_socket(const struct val_address *address, uint16_t port, struct sockaddr_storage *out);
