/* A mock zone served over UDP and TCP (RFC 1035 §4.2, RFC 7766) on a libuv loop. */
#pragma once

#include "test-client/listen_address.h"
#include "test-client/mock_zone.h"

#include <uv.h>

struct dns_server;

/* The zone is a loan until dns_server_drop returns. Port 0 finds one that is free for both. */
MUST_USE bool dns_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, const struct mock_zone *zone,
                               struct dns_server **out, char why[static LISTEN_WHY_SIZE]);
/* The sockets go when the loop has run their close callbacks. */
void dns_server_drop(struct dns_server *server);
DEFINE_DROP(dns_server, dns_server_drop)
uint16_t dns_server_port(const struct dns_server *server);
