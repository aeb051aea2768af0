/* Texts that say where to listen, as Go programs take them: ":8053" (every address), "127.0.0.1:80", "[::1]:80",
 * "localhost:80". */
#pragma once

#include "base/bytes.h"

#include <sys/socket.h>

enum { LISTEN_HOST_SIZE = 256, LISTEN_TEXT_SIZE = LISTEN_HOST_SIZE + 8, LISTEN_WHY_SIZE = 256 };

struct listen_address {
    char host[LISTEN_HOST_SIZE]; /* without brackets; "" for every address */
    uint16_t port;               /* 0: one that is free */
};

MUST_USE bool listen_address_parse(const char *text, struct listen_address *out, char why[static LISTEN_WHY_SIZE]);
/* Asks the system's resolver when the host is a name: only for the start of a program. */
MUST_USE bool listen_address_resolve(const struct listen_address *address, struct sockaddr_storage *out,
                                     char why[static LISTEN_WHY_SIZE]);
/* The text again, with another port. */
void listen_address_text(const struct listen_address *address, uint16_t port, char out[static LISTEN_TEXT_SIZE]);
/* The port of an IPv4 or IPv6 socket address. */
uint16_t listen_port_of(const struct sockaddr_storage *address);
