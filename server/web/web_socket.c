/* Beneath the exchanges: sockets, how long each may take, and their TLS sessions. */
#include "server/web/web_internal.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WATCH_PERIOD_MS = 1000, EVENTS_MAX = 64 };

struct web_socket {
    struct list link; /* guarded by web->lock */
    struct web *web;
    struct MHD_Connection *connection;
    int fd;
    _Atomic int64_t deadline_ms; /* monotonic: shut down when still here then; 0 while we work or stream */
    bool shaken;                 /* the handshake has nothing more to read */
    bool watched;                /* the watch knows the descriptor */
    bool waiting;                /* suspended until the peer goes on with its handshake; guarded by web->lock */
};

void web_socket_set_deadline(struct web_socket *one, int64_t in_ms)
{
    if (one != NULL)
        one->deadline_ms = in_ms != 0 ? monotonic_ms() + in_ms : 0;
}

/* ---- the handshake */

/* The client's Finished is the last that a handshake reads, in TLS 1.2 and 1.3, resumed or not. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    (void)type, (void)when, (void)message;
    struct web_socket *one = gnutls_transport_get_ptr(session);
    if (incoming == 0)
        return 0;
    one->shaken = true;
    web_socket_set_deadline(one, one->web->request_timeout_ms + one->web->idle_timeout_ms);
    return 0;
}

/* libmicrohttpd asks a socket that was readable once again and again until the handshake has ended, however long the
 * peer takes: it would spin. So the connection is suspended meanwhile. Once the web closes, nothing is any more. */
static void wait_for_peer(struct web_socket *one)
{
    struct web *web = one->web;
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = one };
    pthread_mutex_lock(&web->lock);
    if (!web->closing &&
        epoll_ctl(web->watch_epoll, one->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, one->fd, &event) == 0) {
        MHD_suspend_connection(one->connection);
        one->watched = one->waiting = true;
    }
    pthread_mutex_unlock(&web->lock);
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *out, size_t max)
{
    struct web_socket *one = arg;
    ssize_t got = recv(one->fd, out, max, 0);
    if (got >= 0 || errno != EAGAIN || one->shaken)
        return got;
    wait_for_peer(one);
    errno = EAGAIN;
    return got;
}

/* Runs with web->lock held. */
static void resume(struct web_socket *one)
{
    if (!one->waiting)
        return;
    one->waiting = false;
    MHD_resume_connection(one->connection);
}

static void session_begin(struct web_socket *one)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(one->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL)
        return;
    gnutls_session_t session = info->tls_session;
    web_socket_set_deadline(one, one->web->request_timeout_ms);
    gnutls_transport_set_ptr2(session, one, (gnutls_transport_ptr_t)(intptr_t)one->fd);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
    if (one->web->ticket_key.data != NULL)
        gnutls_session_ticket_enable_server(session, &one->web->ticket_key);
}

/* ---- the watch: a peer that sends or takes byte by byte resets the library's idle timer, but not this one */

static void shut_down_overdue(struct web *web)
{
    int64_t now = monotonic_ms();
    LIST_EACH (&web->connections, link) {
        const struct web_socket *one = CONTAINER_OF(link, const struct web_socket, link);
        int64_t deadline = one->deadline_ms;
        if (deadline != 0 && now >= deadline)
            shutdown(one->fd, SHUT_RDWR);
    }
}

/* False when the watch is to end. */
static bool watch_events(const struct epoll_event *events, int count)
{
    bool goes_on = true;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL)
            resume(events[i].data.ptr);
        else
            goes_on = false;
    }
    return goes_on;
}

static void *watch_run(void *arg)
{
    struct web *web = arg;
    struct epoll_event events[EVENTS_MAX];
    int64_t next_ms = monotonic_ms() + WATCH_PERIOD_MS;
    for (bool goes_on = true; goes_on;) {
        int64_t left_ms = next_ms - monotonic_ms();
        int count = epoll_wait(web->watch_epoll, events, EVENTS_MAX, left_ms > 0 ? (int)left_ms : 0);
        pthread_mutex_lock(&web->lock);
        goes_on = watch_events(events, count);
        if (monotonic_ms() >= next_ms) {
            shut_down_overdue(web);
            next_ms = monotonic_ms() + WATCH_PERIOD_MS;
        }
        pthread_mutex_unlock(&web->lock);
    }
    return NULL;
}

bool web_watch_start(struct web *web)
{
    /* the key from which the library derives those of tickets, another every few hours; without one none are given */
    if (web->tls)
        (void)gnutls_session_ticket_key_generate(&web->ticket_key);
    web->watch_epoll = epoll_create1(EPOLL_CLOEXEC);
    web->watch_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event end = { .events = EPOLLIN };
    TRY(web->watch_epoll >= 0 && web->watch_end >= 0);
    TRY(epoll_ctl(web->watch_epoll, EPOLL_CTL_ADD, web->watch_end, &end) == 0);
    web->watch_runs = pthread_create(&web->watch, NULL, watch_run, web) == 0;
    return web->watch_runs;
}

void web_watch_stop(struct web *web)
{
    if (!web->watch_runs)
        return;
    eventfd_write(web->watch_end, 1);
    pthread_join(web->watch, NULL);
    pthread_mutex_lock(&web->lock);
    LIST_EACH (&web->connections, link)
        resume(CONTAINER_OF(link, struct web_socket, link));
    pthread_mutex_unlock(&web->lock);
}

void web_watch_clear(struct web *web)
{
    if (web->watch_epoll >= 0)
        close(web->watch_epoll);
    if (web->watch_end >= 0)
        close(web->watch_end);
    if (web->ticket_key.data != NULL)
        explicit_bzero(web->ticket_key.data, web->ticket_key.size);
    gnutls_free(web->ticket_key.data);
}

/* ---- a connection's begin and end */

static void socket_opened(struct web *web, struct MHD_Connection *connection, void **socket_context)
{
    struct web_socket *one = calloc(1, sizeof *one);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (one == NULL || info == NULL) {
        free(one);
        return;
    }
    one->web = web;
    one->connection = connection;
    one->fd = info->connect_fd;
    one->deadline_ms = monotonic_ms() + web->request_timeout_ms + web->idle_timeout_ms;
    session_begin(one);
    pthread_mutex_lock(&web->lock);
    list_add(&web->connections, &one->link);
    pthread_mutex_unlock(&web->lock);
    *socket_context = one;
}

static void socket_closed(struct web *web, struct web_socket *one)
{
    if (web->behind_proxies)
        web->proxied_count--;
    if (one == NULL)
        return;
    pthread_mutex_lock(&web->lock);
    list_remove(&one->link);
    pthread_mutex_unlock(&web->lock);
    free(one);
}

void web_on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        socket_opened(cls, connection, socket_context);
    else
        socket_closed(cls, TAKE(*socket_context));
}
