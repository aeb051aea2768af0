/* Listening behind proxies that begin each connection with a PROXY header: connections are accepted here, on one
 * thread, and handed over with the address in their header once it is whole, not a byte of what follows it taken. The
 * specification forbids to guess: who is not in trusted-proxies, and what does not begin with a header, is closed. */
#pragma once

#include "server/log.h"
#include "server/settings/settings.h"

#include <sys/socket.h>

struct proxy_listener;

/* On the listener's thread. `arg` and which of the sockets; `fd` is non-blocking and the callee's. */
typedef void proxy_arrived(void *arg, size_t listener, int fd, const struct sockaddr *client, socklen_t len);

struct proxy_listener_options {
    const int *sockets; /* listening and non-blocking; they stay the caller's, and open until the stop */
    size_t count;
    const struct settings *settings;
    struct log *log;
    int64_t timeout_ms;          /* for a header to arrive */
    bool (*has_room)(void *arg); /* false: nobody is let in for now; asked on the listener's thread */
    proxy_arrived *arrived;      /* only while there is room */
    void *arg;
};

/* Headers awaited at once; when one more connection comes, the one that waits longest is closed. */
enum { PROXY_WAITING_MAX = 256 };

/* NULL when memory, descriptors or threads are out. */
MUST_USE struct proxy_listener *proxy_listener_start(const struct proxy_listener_options *options);
/* Behind it nothing arrives any more. Takes NULL. */
void proxy_listener_stop(struct proxy_listener *listener);
