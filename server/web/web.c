#include "server/web/web_internal.h"

#include "server/caraway.h"
#include "server/web/proxy_listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, HEADER_MEMORY_BYTES = 16 * 1024 };

static bool why_errno(char why[static WEB_WHY_SIZE], const char *address, const char *doing)
{
    const char *hint = errno == EADDRINUSE ? ": another program listens there; choose another address with --listen"
                       : errno == EACCES   ? ": ports below 1024 need root or CAP_NET_BIND_SERVICE"
                                           : "";
    snprintf(why, WEB_WHY_SIZE, "cannot %s %s: %s%s", doing, address, strerror(errno), hint);
    return false;
}

static bool bind_and_listen(int fd, const struct sockaddr *address, socklen_t len)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* accepted sockets inherit it: a handshake's second message does not wait until the first is acknowledged */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0;
}

static bool listen_on(struct web *web, const struct sockaddr *address, socklen_t len, const char *text,
                      char why[static WEB_WHY_SIZE])
{
    CHECK(web->daemon_count < WEB_DAEMONS);
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return why_errno(why, text, "open a socket for");
    if (!bind_and_listen(fd, address, len)) {
        why_errno(why, text, "listen on");
        close(fd);
        return false;
    }
    web->sockets[web->daemon_count++] = fd;
    return true;
}

static bool listen_unix(struct web *web, const char *path, char why[static WEB_WHY_SIZE])
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(why, WEB_WHY_SIZE, "the path of the socket %s is longer than %zu bytes", path,
                 sizeof address.sun_path - 1);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    struct stat left; /* by a server that ended without taking it away */
    if (lstat(path, &left) == 0 && S_ISSOCK(left.st_mode))
        unlink(path);
    mode_t before = umask(0177);
    bool ok = listen_on(web, (struct sockaddr *)&address, sizeof address, path, why);
    umask(before);
    return ok;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
        return 0;
    if (bound.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&bound)->sin_port);
    return bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&bound)->sin6_port) : 0;
}

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

/* Splits "host:port", "[v6]:port" or ":port". */
static bool split_address(const char *text, char host[static 256], const char **out_port)
{
    const char *colon = strrchr(text, ':');
    TRY(colon != NULL && colon[1] != '\0');
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    TRY(len < 256);
    memcpy(host, text, len);
    host[len] = '\0';
    *out_port = colon + 1;
    return true;
}

/* All addresses of one name share a port, also when the kernel chooses it. A machine without IPv6 has no ::1. */
static bool listen_each(struct web *web, struct addrinfo *found, const char *text, char why[static WEB_WHY_SIZE])
{
    uint16_t port = 0;
    for (struct addrinfo *one = found; one != NULL && web->daemon_count < WEB_DAEMONS; one = one->ai_next) {
        if (port != 0)
            set_port(one->ai_addr, port);
        bool ok = listen_on(web, one->ai_addr, one->ai_addrlen, text, why);
        bool absent = !ok && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
        TRY(ok || absent);
        if (ok)
            port = bound_port(web->sockets[web->daemon_count - 1]);
    }
    return web->daemon_count > 0;
}

static bool listen_tcp(struct web *web, const char *text, char why[static WEB_WHY_SIZE])
{
    char host[256];
    const char *port;
    if (!split_address(text, host, &port)) {
        snprintf(why, WEB_WHY_SIZE, "\"%s\" is not an address to listen on; write HOST:PORT, [IPV6]:PORT or :PORT",
                 text);
        return false;
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found);
    if (error != 0) {
        snprintf(why, WEB_WHY_SIZE, "cannot find the address of \"%s\": %s", text, gai_strerror(error));
        return false;
    }
    bool ok = listen_each(web, found, text, why);
    freeaddrinfo(found);
    return ok;
}

static bool describe(struct web *web, const char *listen)
{
    AUTO_BUF(text, 1024);
    for (size_t i = 0; i < web->daemon_count; i++) {
        struct sockaddr_storage bound;
        socklen_t len = sizeof bound;
        char host[64], port[8];
        buf_text(&text, i == 0 ? "" : ", ");
        if (getsockname(web->sockets[i], (struct sockaddr *)&bound, &len) != 0 || bound.ss_family == AF_UNIX ||
            getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
            buf_text(&text, listen);
        else
            buf_printf(&text, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    }
    web->port = bound_port(web->sockets[0]);
    size_t unused;
    web->addresses = buf_take(&text, &unused);
    return web->addresses != NULL;
}

/* While we stop, who comes anew is sent away at once. MHD_quiesce_daemon would leave him waiting, and races with the
 * daemon's threads (0.9.75): both take the socket out of an epoll, and who comes second ends the process. */
static enum MHD_Result may_connect(void *arg, const struct sockaddr *client, socklen_t len)
{
    (void)client;
    (void)len;
    const struct web *web = arg;
    return web->stopping ? MHD_NO : MHD_YES;
}

static struct MHD_Daemon *start_daemon(struct web *web, const struct web_options *options, int fd)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     (options->tls != NULL ? MHD_USE_TLS : 0U) | (options->proxied ? MHD_USE_NO_LISTEN_SOCKET : 0U);
    /* AES-128 comes first for its SHA-256, which the processor knows; X25519 because clients send a share for it */
    static char priorities[] =
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
        ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
        ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:%SERVER_PRECEDENCE";
    const struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, options->tls != NULL ? options->tls->cert_pem : NULL },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, options->tls != NULL ? options->tls->key_pem : NULL },
        /* RFC 8555 §6.1 with RFC 9325: nothing older than TLS 1.2 */
        { MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
        { MHD_OPTION_END, 0, NULL },
    };
    const struct MHD_OptionItem listening[] = { { MHD_OPTION_LISTEN_SOCKET, fd, NULL }, { MHD_OPTION_END, 0, NULL } };
    const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
    /* the library divides the limit among the pool's threads and wants at least one each */
    unsigned connections = options->max_connections > options->threads ? options->max_connections : options->threads;
    /* one that finds itself given too many locks itself out (0.9.75); behind proxies we count ourselves */
    if (options->proxied)
        connections *= options->threads;
    return MHD_start_daemon(
        flags, 0, may_connect, web, web_on_request, web, MHD_OPTION_ARRAY, options->proxied ? none : listening,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads > 1 ? options->threads : 0U, MHD_OPTION_CONNECTION_LIMIT,
        connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->max_connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(options->idle_timeout_ms / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_MEMORY_BYTES, MHD_OPTION_URI_LOG_CALLBACK, web_on_target, web, MHD_OPTION_NOTIFY_COMPLETED,
        web_on_completed, web, MHD_OPTION_NOTIFY_CONNECTION, web_on_connection, web, MHD_OPTION_ARRAY,
        options->tls != NULL ? tls : none, MHD_OPTION_END);
}

static bool start_daemons(struct web *web, const struct web_options *options, char why[static WEB_WHY_SIZE])
{
    for (size_t i = 0; i < web->daemon_count; i++) {
        web->daemons[i] = start_daemon(web, options, web->sockets[i]);
        if (web->daemons[i] != NULL) {
            if (!options->proxied)
                web->sockets[i] = -1; /* the daemon closes it */
            continue;
        }
        snprintf(why, WEB_WHY_SIZE, "the HTTP server on %s did not start; is the TLS certificate readable?",
                 options->listen);
        return false;
    }
    return true;
}

static bool has_room(void *arg)
{
    const struct web *web = arg;
    return web->proxied_count < web->proxied_max;
}

/* The daemon closes what it cannot take. */
static void take_proxied(void *arg, size_t listener, int fd, const struct sockaddr *client, socklen_t len)
{
    struct web *web = arg;
    web->proxied_count++;
    if (MHD_add_connection(web->daemons[listener], fd, client, len) != MHD_YES)
        web->proxied_count--;
}

static bool listen_behind_proxies(struct web *web, const struct web_options *options, char why[static WEB_WHY_SIZE])
{
    const struct proxy_listener_options behind = {
        .sockets = web->sockets,
        .count = web->daemon_count,
        .settings = web->caraway->settings,
        .log = web->caraway->log,
        .timeout_ms = options->request_timeout_ms,
        .has_room = has_room,
        .arrived = take_proxied,
        .arg = web,
    };
    web->proxied_max = options->max_connections;
    web->proxied = proxy_listener_start(&behind);
    if (web->proxied == NULL)
        snprintf(why, WEB_WHY_SIZE, "out of memory, descriptors or threads");
    return web->proxied != NULL;
}

bool web_start(struct caraway *caraway, const struct web_options *options, struct web **out,
               char why[static WEB_WHY_SIZE])
{
    AUTO(web) web = web_create(caraway, options);
    if (web == NULL) {
        snprintf(why, WEB_WHY_SIZE, "out of memory");
        return false;
    }
    const char *unix_path = strncmp(options->listen, "unix:", 5) == 0 ? options->listen + 5 : NULL;
    TRY(unix_path != NULL ? listen_unix(web, unix_path, why) : listen_tcp(web, options->listen, why));
    if (!describe(web, options->listen) || !web_watch_start(web)) {
        snprintf(why, WEB_WHY_SIZE, "out of memory or threads");
        return false;
    }
    TRY(start_daemons(web, options, why));
    TRY(!options->proxied || listen_behind_proxies(web, options, why));
    *out = TAKE(web);
    return true;
}

const char *web_addresses(const struct web *web)
{
    return web->addresses;
}

uint16_t web_port(const struct web *web)
{
    return web->port;
}

void web_stop_accepting(struct web *web)
{
    web->stopping = true;
    proxy_listener_stop(TAKE(web->proxied));
}

size_t web_in_flight(const struct web *web)
{
    return web->in_flight;
}

void web_drop(struct web *web)
{
    if (web == NULL)
        return;
    if (!web->stopping)
        web_stop_accepting(web);
    web_finish_work(web);
    web_watch_stop(web);
    for (size_t i = 0; i < web->daemon_count; i++) {
        if (web->daemons[i] != NULL)
            MHD_stop_daemon(web->daemons[i]);
        if (web->sockets[i] >= 0)
            close(web->sockets[i]);
    }
    web_destroy(web);
}
