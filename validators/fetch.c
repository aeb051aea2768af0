#include "validators/fetch.h"

#include "validators/outgoing.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { RECEIVE_BYTES = 1024 }; /* the least curl takes: thousands wait with one each */

const struct val_fetch_row val_fetch_rows[VAL_FETCH_OUTCOMES] = {
#define X(name, type, unconnected, phrase, hint) [VAL_FETCH_##name] = { PROBLEM_##type, unconnected, phrase, hint },
    VAL_FETCH_TABLE(X)
#undef X
};

struct val_fetcher {
    uv_loop_t *loop;
    uv_timer_t timer;
    CURLM *multi;
    struct curl_slist *headers;
    char *user_agent;
    long connect_timeout_ms;
    int files_below;
};

struct watch { /* one socket of curl's */
    uv_poll_t poll;
    struct val_fetcher *fetcher;
    curl_socket_t fd;
    int events;
};

/* Too much of a header or body ends the exchange: curl takes a short count as an error. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct val_fetch *fetch = arg;
    static const char name[] = "Location:";
    size_t len = size * count;
    fetch->header_bytes += len;
    if (fetch->header_bytes > VAL_HEADERS_MAX_BYTES)
        return 0;
    if (len > 5 && memcmp(data, "HTTP/", 5) == 0) { /* what came before was a provisional answer */
        free(TAKE(fetch->location));
        return len;
    }
    if (fetch->location != NULL || len < sizeof name || strncasecmp(data, name, sizeof name - 1) != 0)
        return len;
    const char *from = data + sizeof name - 1, *to = data + len;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == '\r' || to[-1] == '\n' || to[-1] == ' ' || to[-1] == '\t'))
        to--;
    fetch->location = strndup(from, (size_t)(to - from));
    return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct val_fetch *fetch = arg;
    size_t len = size * count, room = sizeof fetch->body - fetch->body_len;
    size_t take = len < room ? len : room;
    memcpy(fetch->body + fetch->body_len, data, take);
    fetch->body_len += take;
    fetch->body_over = take < len;
    return take;
}

/* A socket of our own: only towards the address that was asked for, and a want of descriptors is told from a refusal by
 * the peer. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct val_fetch *fetch = arg;
    struct sockaddr_storage pinned;
    socklen_t len = val_address_socket(&fetch->address, fetch->port, &pinned);
    if (purpose != CURLSOCKTYPE_IPCXN || address->addrlen != len || memcmp(&address->addr, &pinned, len) != 0)
        return CURL_SOCKET_BAD;
    int fd = val_outgoing_open(address->family, address->socktype, address->protocol, fetch->fetcher->files_below);
    if (fd < 0)
        fetch->socket_errno = errno;
    return fd;
}

static void collect(struct val_fetcher *fetcher);

static void act(struct val_fetcher *fetcher, curl_socket_t fd, int events)
{
    int running;
    /* what cannot go on for want of memory is a transfer that failed, and says so itself */
    (void)curl_multi_socket_action(fetcher->multi, fd, events, &running);
    collect(fetcher);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_wish(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    struct val_fetcher *fetcher = arg;
    if (ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

/* An error on the socket is left to curl's own read, for data may stand before it. libuv stops a poll that met one. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data;
    if (status < 0)
        events = UV_READABLE | UV_WRITABLE;
    act(watch->fetcher, watch->fd,
        (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
    if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
        uv_poll_start(poll, watch->events, on_poll);
}

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *make_watch(struct val_fetcher *fetcher, curl_socket_t fd)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->fetcher = fetcher;
    watch->fd = fd;
    if (uv_poll_init_socket(fetcher->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    return watch;
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    (void)easy;
    struct val_fetcher *fetcher = arg;
    struct watch *watch = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        return 0;
    }
    if (watch == NULL) {
        watch = make_watch(fetcher, fd);
        if (watch == NULL) /* nobody watches it, so it ends at its timeout; -1 would end all transfers from now on */
            return 0;
        curl_multi_assign(fetcher->multi, fd, watch);
    }
    watch->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, watch->events, on_poll);
    return 0;
}

/* With the first fetch: libcurl starts itself with its first handle, and takes half a megabyte for that. */
static bool start_multi(struct val_fetcher *fetcher)
{
    fetcher->multi = curl_multi_init();
    TRY(fetcher->multi != NULL);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wish);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    return true;
}

bool val_fetcher_open(uv_loop_t *loop, const char *user_agent, int64_t connect_timeout_ms, int files_below,
                      struct val_fetcher **out)
{
    struct val_fetcher *fetcher = calloc(1, sizeof *fetcher);
    TRY(fetcher != NULL);
    CHECK(uv_timer_init(loop, &fetcher->timer) == 0);
    fetcher->timer.data = fetcher;
    fetcher->loop = loop;
    fetcher->connect_timeout_ms = (long)connect_timeout_ms;
    fetcher->files_below = files_below;
    fetcher->headers = curl_slist_append(NULL, "Connection: close");
    fetcher->user_agent = strdup(user_agent);
    *out = fetcher;
    return fetcher->headers != NULL && fetcher->user_agent != NULL;
}

void val_fetcher_close(struct val_fetcher *fetcher)
{
    curl_multi_cleanup(TAKE(fetcher->multi));
    uv_close((uv_handle_t *)&fetcher->timer, NULL);
}

void val_fetcher_drop(struct val_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    curl_slist_free_all(fetcher->headers);
    free(fetcher->user_agent);
    free(fetcher);
}

/* What all fetches have in common. A handle serves one exchange only: libcurl 7.88 keeps a pointer to the last header
 * of one answer, which the next answer on the same handle makes it follow when it begins with a folded line. TLS peers
 * are met only behind a redirect, where the content is the proof and any certificate will do (RFC 8555 §8.3 demands
 * none). */
static CURL *make_easy(const struct val_fetcher *fetcher)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 1L); /* to see what it is; it never counts as an answer */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetcher->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, fetcher->user_agent);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, fetcher->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    return easy;
}

static struct curl_slist *connect_to(const struct val_fetch *fetch)
{
    char to[VAL_ENDPOINT_SIZE + 2] = "::"; /* any host, any port */
    val_endpoint_text(&fetch->address, fetch->port, to + 2);
    return curl_slist_append(NULL, to);
}

bool val_fetch_start(struct val_fetcher *fetcher, struct val_fetch *fetch)
{
    TRY(fetcher->multi != NULL || start_multi(fetcher));
    fetch->fetcher = fetcher;
    fetch->connect_to = connect_to(fetch);
    TRY(fetch->connect_to != NULL);
    fetch->easy = make_easy(fetcher);
    TRY(fetch->easy != NULL);
    CURL *easy = fetch->easy;
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, fetch->url) == CURLE_OK;
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, fetch->connect_to);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->why);
    if (ok && curl_multi_add_handle(fetcher->multi, easy) == CURLM_OK)
        return true;
    curl_easy_cleanup(TAKE(fetch->easy));
    return false;
}

bool val_fetch_connected(const struct val_fetch *fetch)
{
    curl_off_t connect_us = 0;
    return fetch->easy != NULL && curl_easy_getinfo(fetch->easy, CURLINFO_CONNECT_TIME_T, &connect_us) == CURLE_OK &&
           connect_us > 0;
}

static void release(struct val_fetch *fetch)
{
    CURL *easy = TAKE(fetch->easy);
    curl_multi_remove_handle(fetch->fetcher->multi, easy);
    curl_easy_cleanup(easy);
}

static long os_errno(const struct val_fetch *fetch)
{
    long number = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &number);
    return number;
}

static enum val_fetch_outcome connect_failure(const struct val_fetch *fetch)
{
    long peer_errno = os_errno(fetch);
    if (fetch->socket_errno == EMFILE || fetch->socket_errno == ENFILE || fetch->socket_errno == ENOBUFS)
        return VAL_FETCH_INTERNAL;
    if (fetch->socket_errno == EAFNOSUPPORT)
        return VAL_FETCH_UNREACHABLE;
    if (peer_errno == ECONNREFUSED)
        return VAL_FETCH_REFUSED;
    return peer_errno == ETIMEDOUT ? VAL_FETCH_NO_CONNECTION : VAL_FETCH_UNREACHABLE;
}

/* A server that expects HTTP/2 greets with a SETTINGS frame on stream 0 (RFC 9113 §3.4, §4.1). */
static bool is_http2(const struct val_fetch *fetch)
{
    static const char stream[4] = { 0 };
    return fetch->body_len >= 9 && fetch->body[0] == 0 && fetch->body[3] == 4 &&
           memcmp(fetch->body + 5, stream, sizeof stream) == 0;
}

static long http_version(const struct val_fetch *fetch)
{
    long version = CURL_HTTP_VERSION_NONE;
    curl_easy_getinfo(fetch->easy, CURLINFO_HTTP_VERSION, &version);
    return version;
}

static enum val_fetch_outcome outcome_of(const struct val_fetch *fetch, CURLcode code)
{
    static const struct {
        CURLcode code;
        enum val_fetch_outcome outcome;
    } rows[] = {
        { CURLE_OK, VAL_FETCH_ANSWERED },
        { CURLE_SEND_ERROR, VAL_FETCH_BROKEN },
        { CURLE_RECV_ERROR, VAL_FETCH_BROKEN },
        { CURLE_PARTIAL_FILE, VAL_FETCH_BROKEN },
        { CURLE_GOT_NOTHING, VAL_FETCH_EMPTY },
        { CURLE_SSL_CONNECT_ERROR, VAL_FETCH_TLS },
        { CURLE_SSL_CIPHER, VAL_FETCH_TLS },
        { CURLE_PEER_FAILED_VERIFICATION, VAL_FETCH_TLS },
        { CURLE_BAD_CONTENT_ENCODING, VAL_FETCH_ENCODING },
        { CURLE_OUT_OF_MEMORY, VAL_FETCH_INTERNAL },
        { CURLE_FAILED_INIT, VAL_FETCH_INTERNAL },
        { CURLE_ABORTED_BY_CALLBACK, VAL_FETCH_INTERNAL },
    };
    if (fetch->header_bytes > VAL_HEADERS_MAX_BYTES)
        return VAL_FETCH_HEADERS;
    if (code == CURLE_OUT_OF_MEMORY && val_fetch_connected(fetch))
        return VAL_FETCH_HEADERS; /* so says curl of a line longer than it keeps */
    if (http_version(fetch) > CURL_HTTP_VERSION_1_1)
        return VAL_FETCH_HTTP2;
    if (fetch->body_len > 0 && http_version(fetch) == CURL_HTTP_VERSION_NONE)
        return is_http2(fetch) ? VAL_FETCH_HTTP2 : VAL_FETCH_NOT_HTTP;
    if (code == CURLE_WRITE_ERROR && fetch->body_over)
        return VAL_FETCH_ANSWERED;
    if (code == CURLE_RECV_ERROR && os_errno(fetch) == 0 && strncmp(fetch->url, "http://", 7) == 0)
        return VAL_FETCH_CHUNKS; /* so says curl of them, too */
    if (code == CURLE_COULDNT_CONNECT)
        return connect_failure(fetch);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return val_fetch_connected(fetch) ? VAL_FETCH_SLOW : VAL_FETCH_NO_CONNECTION;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].code == code)
            return rows[i].outcome;
    return VAL_FETCH_NOT_HTTP;
}

static void collect(struct val_fetcher *fetcher)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        CHECK(message->msg == CURLMSG_DONE);
        CURLcode code = message->data.result;
        struct val_fetch *fetch = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
        CHECK(fetch != NULL && fetch->easy == message->easy_handle);
        fetch->outcome = outcome_of(fetch, code);
        curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &fetch->status);
        release(fetch);
        fetch->done(fetch);
    }
}

void val_fetch_cancel(struct val_fetch *fetch)
{
    if (fetch->easy != NULL)
        release(fetch);
}

void val_fetch_clear(struct val_fetch *fetch)
{
    val_fetch_cancel(fetch);
    curl_slist_free_all(fetch->connect_to);
    free(fetch->location);
    *fetch = (struct val_fetch) { 0 };
}
