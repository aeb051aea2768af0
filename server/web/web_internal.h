/* Shared by the parts of the edge, web.c (listeners), web_socket.c (what is beneath) and web_connection.c (exchanges).
 * No one else includes it. */
#pragma once

#include "base/list.h"
#include "server/web/web.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WEB_DAEMONS = 8 };

struct web {
    struct caraway *caraway;
    const struct routes *routes;
    bool tls;
    int64_t idle_timeout_ms, request_timeout_ms;
    struct MHD_Daemon *daemons[WEB_DAEMONS];
    int sockets[WEB_DAEMONS]; /* -1 once a daemon owns it */
    size_t daemon_count;
    bool behind_proxies;
    struct proxy_listener *proxied; /* accepts for the daemons behind proxies */
    size_t proxied_max;
    atomic_size_t proxied_count; /* handed to the daemons and not closed yet */
    char *addresses;
    uint16_t port;
    atomic_bool stopping;
    atomic_size_t in_flight;
    gnutls_datum_t ticket_key;
    int watch_epoll, watch_end; /* the second's event ends the watch */
    bool watch_runs;
    pthread_t watch;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t changed;
    bool closing;
    size_t working; /* requests between dispatch and answer, suspended or not */
    struct list connections;
};

struct web *web_create(struct caraway *caraway, const struct web_options *options);
void web_destroy(struct web *web); /* after the daemons */
void web_finish_work(struct web *web);

struct web_socket;
MUST_USE bool web_watch_start(struct web *web);
/* Once the web closes and before its daemons end, which none of their connections may be suspended for. */
void web_watch_stop(struct web *web);
void web_watch_clear(struct web *web);
/* 0: as long as it takes. NULL is no socket. */
void web_socket_set_deadline(struct web_socket *one, int64_t in_ms);

/* libmicrohttpd's callbacks; `cls` is the web */
void *web_on_target(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result web_on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *data_len, void **context);
void web_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode reason);
void web_on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
