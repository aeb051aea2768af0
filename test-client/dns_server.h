/* A DNS server on UDP and TCP, both at one port, on a libuv loop; one function makes the answers. */
#pragma once

#include "test-client/mock_zone.h"
#include "test-client/tcp_server.h"

struct dns_server;

/* Writes the answer to `out`, which is empty to begin with; left empty, none is sent. Gives how many milliseconds later
 * it is to be sent. */
typedef unsigned dns_handler(void *owner, struct bytes query, enum dns_transport transport, struct buf *out);

/* Port 0 finds one that is free for both. */
MUST_USE bool dns_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, dns_handler *handler,
                               void *owner, struct dns_server **out, char why[static LISTEN_WHY_SIZE]);
/* No handler runs from here on; the sockets go when the loop has run their close callbacks. */
void dns_server_drop(struct dns_server *server);
DEFINE_DROP(dns_server, dns_server_drop)
uint16_t dns_server_port(const struct dns_server *server);

/* The dns_handler that gives what a struct mock_zone says, at once. */
unsigned dns_answer_from_zone(void *zone, struct bytes query, enum dns_transport transport, struct buf *out);
