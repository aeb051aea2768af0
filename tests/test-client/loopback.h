/* The other end of a server under test: plain sockets on 127.0.0.1 in the same thread, which run the server's loop
 * while they wait. */
#pragma once

#include "base/buf.h"

#include <uv.h>

enum { LOOPBACK_DEADLINE_MS = 20000 };

int loopback_connect(uint16_t port); /* TCP */
int loopback_udp(uint16_t port);     /* connected */
void loopback_send(int fd, const void *data, size_t len);

/* Runs the loop until `fd` is readable or at its end; fails the test at the deadline. `loop` may be NULL. */
void loopback_wait(uv_loop_t *loop, int fd);
/* Appends what comes until `len` bytes are there in all (false: the peer ended first). */
bool loopback_read(uv_loop_t *loop, int fd, struct buf *out, size_t len);
void loopback_read_to_end(uv_loop_t *loop, int fd, struct buf *out);

/* One connection: sends, reads to the end, closes. */
void loopback_exchange(uv_loop_t *loop, uint16_t port, const char *request, struct buf *out);

/* Runs a loop whose handles are being closed until it is empty, and closes it. */
void loopback_end(uv_loop_t *loop);

/* A socket address of 127.0.0.1 with any free port. */
struct sockaddr_storage loopback_any(void);
