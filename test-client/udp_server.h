/* A UDP socket on a libuv loop. Who asked at one of this machine's addresses is answered from that address, also where
 * the socket listens on all of them: resolvers drop any other answer. */
#pragma once

#include "test-client/listen_address.h"

#include <netinet/in.h>
#include <uv.h>

struct udp_server;

/* Where a datagram came from, and the address of ours it came to. */
struct udp_peer {
    struct sockaddr_storage remote;
    socklen_t remote_len;
    int level; /* which of the next holds the local address: IPPROTO_IP, IPPROTO_IPV6, or -1 where it is not known */
    struct in_pktinfo local_ipv4;
    struct in6_pktinfo local_ipv6;
};

typedef void udp_handler(void *owner, const struct udp_peer *peer, struct bytes datagram);

/* libuv's error, or 0. */
MUST_USE int udp_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, udp_handler *handler,
                              void *owner, struct udp_server **out);
/* Closes the handles, and forgets what was to be sent later; the memory goes with the loop's close callbacks. */
void udp_server_drop(struct udp_server *server);

/* At once or later. A full socket loses the answer, as UDP may; so does the last of too many that wait. */
void udp_server_send(struct udp_server *server, const struct udp_peer *peer, struct bytes datagram, unsigned delay_ms);
