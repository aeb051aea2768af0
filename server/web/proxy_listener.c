#include "server/web/proxy_listener.h"

#include "base/list.h"
#include "base/thread.h"
#include "server/web/forwarded.h"
#include "server/web/proxy_header.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PAUSE_MS = 100, PEER_SIZE = 64 };

struct waiting {
    struct list link;  /* in listener->waiting */
    const int *socket; /* the one it came by */
    int fd;
    int64_t deadline_ms; /* monotonic */
    struct sockaddr_storage peer;
    socklen_t peer_len;
    size_t have;
    uint8_t bytes[PROXY_HEADER_MAX_BYTES];
};

struct proxy_listener {
    struct proxy_listener_options options;
    int events, stop; /* an epoll, an eventfd */
    pthread_t thread;
    struct list waiting; /* the thread's; the oldest first */
    size_t count;
};

/* ---- who waits */

static struct waiting *oldest(const struct proxy_listener *listener)
{
    struct list *link = list_first(&listener->waiting);
    return link != NULL ? CONTAINER_OF(link, struct waiting, link) : NULL;
}

static void add(struct proxy_listener *listener, struct waiting *one)
{
    list_add(&listener->waiting, &one->link);
    listener->count++;
}

static void take_away(struct proxy_listener *listener, struct waiting *one)
{
    list_remove(&one->link);
    listener->count--;
}

static void peer_text(const struct waiting *one, char out[static PEER_SIZE])
{
    if (getnameinfo((const struct sockaddr *)&one->peer, one->peer_len, out, PEER_SIZE, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(out, PEER_SIZE, "local");
}

static void refuse(struct proxy_listener *listener, struct waiting *one, const char *cause)
{
    char peer[PEER_SIZE];
    peer_text(one, peer);
    log_event(listener->options.log, LOG_PROXY_REFUSED, LOG_TEXT("cause", cause), LOG_TEXT("peer", peer));
    take_away(listener, one);
    close(one->fd);
    free(one);
}

static void hand_over(struct proxy_listener *listener, struct waiting *one, const struct proxy_header *header)
{
    const struct proxy_listener_options *options = &listener->options;
    if (!options->has_room(options->arg))
        return refuse(listener, one, "there is no room for more connections");
    bool told = header->client.any.sa_family != AF_UNSPEC;
    bool v6 = header->client.any.sa_family == AF_INET6;
    const struct sockaddr *client = told ? &header->client.any : (const struct sockaddr *)&one->peer;
    socklen_t len = !told ? one->peer_len : v6 ? sizeof header->client.v6 : sizeof header->client.v4;
    take_away(listener, one);
    epoll_ctl(listener->events, EPOLL_CTL_DEL, one->fd, NULL);
    options->arrived(options->arg, (size_t)(one->socket - options->sockets), one->fd, client, len);
    free(one);
}

/* ---- what happens */

static const char *cause_of(enum proxy_verdict verdict)
{
    return verdict == PROXY_ABSENT ? "it does not begin with a PROXY header" : "its PROXY header is malformed";
}

/* What is only looked at first may reach beyond the header; then exactly the header's part is taken. */
static void read_some(struct proxy_listener *listener, struct waiting *one)
{
    struct proxy_header header;
    uint8_t *end = one->bytes + one->have;
    ssize_t got = recv(one->fd, end, sizeof one->bytes - one->have, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        return refuse(listener, one, "it ended in its PROXY header");
    enum proxy_verdict verdict = proxy_header_read(bytes_of(one->bytes, one->have + (size_t)got), &header);
    if (verdict != PROXY_COMPLETE && verdict != PROXY_INCOMPLETE)
        return refuse(listener, one, cause_of(verdict));
    size_t part = verdict == PROXY_COMPLETE ? header.len - one->have : (size_t)got;
    if (recv(one->fd, end, part, 0) != (ssize_t)part)
        return refuse(listener, one, "it cannot be read");
    one->have += part;
    if (verdict == PROXY_COMPLETE)
        hand_over(listener, one, &header);
}

static void pause_accepting(const struct proxy_listener *listener)
{
    struct pollfd stop = { .fd = listener->stop, .events = POLLIN };
    poll(&stop, 1, PAUSE_MS);
}

/* Without a descriptor or memory left nobody can be let in until some come back; nor is there anything else to do then,
 * for those who wait go first. */
static void run_dry(struct proxy_listener *listener)
{
    struct waiting *one = oldest(listener);
    if (one != NULL)
        refuse(listener, one, "no descriptor or memory is left");
    else
        pause_accepting(listener);
}

static void welcome(struct proxy_listener *listener, struct waiting *one)
{
    char peer[PEER_SIZE];
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = one };
    add(listener, one);
    peer_text(one, peer);
    if (!forwarded_trusts(listener->options.settings, peer))
        return refuse(listener, one, "it is not in trusted-proxies");
    if (epoll_ctl(listener->events, EPOLL_CTL_ADD, one->fd, &event) != 0)
        return refuse(listener, one, "no descriptor or memory is left");
    if (listener->count > PROXY_WAITING_MAX)
        refuse(listener, oldest(listener), "too many wait for their PROXY header");
    read_some(listener, one);
}

static void accept_one(struct proxy_listener *listener, const int *socket)
{
    if (!listener->options.has_room(listener->options.arg))
        return pause_accepting(listener);
    struct waiting *one = calloc(1, sizeof *one);
    if (one == NULL)
        return run_dry(listener);
    one->socket = socket;
    one->deadline_ms = monotonic_ms() + listener->options.timeout_ms;
    one->peer_len = sizeof one->peer;
    one->fd = accept4(*socket, (struct sockaddr *)&one->peer, &one->peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (one->fd >= 0)
        return welcome(listener, one);
    bool dry = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
    free(one);
    if (dry)
        run_dry(listener);
}

static int until_next_deadline(struct proxy_listener *listener)
{
    int64_t now = monotonic_ms();
    struct waiting *one;
    while ((one = oldest(listener)) != NULL && one->deadline_ms <= now)
        refuse(listener, one, "its PROXY header did not arrive in time");
    return one != NULL ? (int)(one->deadline_ms - now) : -1;
}

static bool is_socket(const struct proxy_listener *listener, const void *source)
{
    for (size_t i = 0; i < listener->options.count; i++)
        if (source == &listener->options.sockets[i])
            return true;
    return false;
}

/* One event at a time: dealing with one may free what another is about. */
static void *run(void *arg)
{
    struct proxy_listener *listener = arg;
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(listener->events, &event, 1, until_next_deadline(listener)) != 1)
            continue;
        if (event.data.ptr == &listener->stop)
            return NULL;
        if (is_socket(listener, event.data.ptr))
            accept_one(listener, event.data.ptr);
        else
            read_some(listener, event.data.ptr);
    }
}

/* ---- start and stop */

static bool watch(const struct proxy_listener *listener, const int *fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = (void *)fd };
    return epoll_ctl(listener->events, EPOLL_CTL_ADD, *fd, &event) == 0;
}

static bool start(struct proxy_listener *listener)
{
    listener->events = epoll_create1(EPOLL_CLOEXEC);
    listener->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    TRY(listener->events >= 0 && listener->stop >= 0 && watch(listener, &listener->stop));
    for (size_t i = 0; i < listener->options.count; i++)
        TRY(watch(listener, &listener->options.sockets[i]));
    return thread_start(&listener->thread, run, listener);
}

static void drop(struct proxy_listener *listener)
{
    for (struct waiting *one; (one = oldest(listener)) != NULL;) {
        take_away(listener, one);
        close(one->fd);
        free(one);
    }
    if (listener->events >= 0)
        close(listener->events);
    if (listener->stop >= 0)
        close(listener->stop);
    free(listener);
}

struct proxy_listener *proxy_listener_start(const struct proxy_listener_options *options)
{
    struct proxy_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    *listener = (struct proxy_listener) { .options = *options, .events = -1, .stop = -1 };
    list_init(&listener->waiting);
    if (start(listener))
        return listener;
    drop(listener);
    return NULL;
}

void proxy_listener_stop(struct proxy_listener *listener)
{
    if (listener == NULL)
        return;
    eventfd_write(listener->stop, 1);
    pthread_join(listener->thread, NULL);
    drop(listener);
}
