#include "server/web/web_internal.h"

#include "server/caraway.h"
#include "server/web/forwarded.h"
#include "server/limits/request_limit.h"
#include "server/management/stream.h"

#include <netdb.h>
#include <sys/socket.h>

enum {
    ARENA_MAX_BYTES = 1 << 20,
    DISCARD_MAX_BYTES = 1 << 20,
    REPLY_MAX_BYTES = 4 << 20,
    HEADER_MAX_BYTES = 64 << 10,
    STREAM_BLOCK_BYTES = 64 << 10,
    SLOWEST_BYTES_PER_S = 8 << 10,
};

enum phase { PHASE_READING, PHASE_WORKING, PHASE_ANSWERED };

/* What the edge knows of an exchange beside the request. */
struct exchange {
    struct request rq;
    struct web *web;
    struct MHD_Connection *connection;
    struct web_socket *socket;
    enum phase phase;
    size_t received; /* bytes of body */
};

static struct exchange *exchange_of(struct request *rq)
{
    return rq->connection;
}

/* ---- the web's life */

struct web *web_create(struct caraway *caraway, const struct web_options *options)
{
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL)
        return NULL;
    web->caraway = caraway;
    web->routes = options->routes;
    web->tls = options->tls != NULL;
    web->behind_proxies = options->proxied;
    web->idle_timeout_ms = options->idle_timeout_ms;
    web->request_timeout_ms = options->request_timeout_ms;
    for (size_t i = 0; i < WEB_DAEMONS; i++)
        web->sockets[i] = -1;
    web->watch_epoll = web->watch_end = -1;
    list_init(&web->connections);
    pthread_mutex_init(&web->lock, NULL);
    pthread_cond_init(&web->changed, NULL);
    return web;
}

void web_destroy(struct web *web)
{
    web_watch_clear(web);
    pthread_cond_destroy(&web->changed);
    pthread_mutex_destroy(&web->lock);
    free(web->addresses);
    free(web);
}

void web_finish_work(struct web *web)
{
    pthread_mutex_lock(&web->lock);
    web->closing = true;
    while (web->working > 0)
        pthread_cond_wait(&web->changed, &web->lock);
    pthread_mutex_unlock(&web->lock);
}

/* ---- work: what must end before the web can */

/* From here to work_ended a request may be suspended; none begins once the web is closing. */
static bool work_begins(struct web *web)
{
    pthread_mutex_lock(&web->lock);
    bool open = !web->closing;
    if (open)
        web->working++;
    pthread_mutex_unlock(&web->lock);
    return open;
}

static void work_ended(struct web *web)
{
    pthread_mutex_lock(&web->lock);
    if (--web->working == 0 && web->closing)
        pthread_cond_broadcast(&web->changed);
    pthread_mutex_unlock(&web->lock);
}

/* ---- an exchange's life */

void *web_on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct web *web = cls;
    struct exchange *ex = calloc(1, sizeof *ex);
    if (ex == NULL)
        return NULL;
    ex->web = web;
    ex->connection = connection;
    struct request *rq = &ex->rq;
    rq->connection = ex;
    rq->caraway = web->caraway;
    rq->routes = web->routes;
    rq->reply.body = BUF_INIT(REPLY_MAX_BYTES);
    rq->now_ms = world_now_ms(web->caraway->world);
    rq->arena = arena_create(ARENA_MAX_BYTES);
    rq->target = rq->arena != NULL ? arena_text(rq->arena, target) : NULL;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ex->socket = info != NULL ? info->socket_context : NULL;
    web_socket_set_deadline(ex->socket, web->request_timeout_ms);
    web->in_flight++;
    return ex;
}

void web_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode reason)
{
    (void)connection;
    (void)reason;
    struct web *web = cls;
    struct exchange *ex = TAKE(*context);
    if (ex == NULL)
        return;
    struct request *rq = &ex->rq;
    if (ex->phase == PHASE_WORKING) /* the peer went away while its job was under way */
        work_ended(web);
    if (rq->release != NULL)
        rq->release(rq);
    web_socket_set_deadline(ex->socket, web->idle_timeout_ms + web->request_timeout_ms);
    jws_clear(&rq->jws);
    jwk_drop(rq->key);
    json_decref(rq->payload);
    buf_free(&rq->body);
    buf_free(&rq->reply.body);
    stream_drop(rq->reply.stream);
    arena_drop(rq->arena);
    free(ex);
    web->in_flight--;
}

static const char *peer_text(struct exchange *ex)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(ex->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[64] = "local";
    if (info != NULL && info->client_addr != NULL && info->client_addr->sa_family != AF_UNIX) {
        bool v6 = info->client_addr->sa_family == AF_INET6;
        socklen_t len = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (getnameinfo(info->client_addr, len, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
            return "unknown";
    }
    return arena_text(ex->rq.arena, host);
}

static const char *header_copy(struct exchange *ex, const char *name)
{
    const char *value = MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND, name);
    return value != NULL ? arena_text(ex->rq.arena, value) : NULL;
}

struct joined {
    const char *name;
    struct buf text;
};

static enum MHD_Result join_value(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct joined *joined = cls;
    if (strcasecmp(name, joined->name) == 0)
        buf_printf(&joined->text, "%s%s", joined->text.len > 0 ? ", " : "", value != NULL ? value : "");
    return MHD_YES;
}

/* A proxy may add its line to a list instead of its word to a line (RFC 9110 §5.3). */
static const char *header_joined(struct exchange *ex, const char *name)
{
    struct joined joined = { name, BUF_INIT(HEADER_MAX_BYTES) };
    int count = MHD_get_connection_values(ex->connection, MHD_HEADER_KIND, join_value, &joined);
    const char *text = count > 0 && joined.text.len > 0 ? arena_text(ex->rq.arena, buf_str(&joined.text)) : NULL;
    buf_free(&joined.text);
    return text;
}

static enum method method_of(const char *text)
{
    static const struct {
        const char *text;
        enum method method;
    } methods[] = {
        { "GET", METHOD_GET },         { "HEAD", METHOD_HEAD },     { "POST", METHOD_POST },
        { "OPTIONS", METHOD_OPTIONS }, { "DELETE", METHOD_DELETE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (strcmp(methods[i].text, text) == 0)
            return methods[i].method;
    }
    return METHOD_OTHER;
}

static bool read_origin(struct exchange *ex)
{
    struct request *rq = &ex->rq;
    const struct caraway *caraway = ex->web->caraway;
    const struct forwarded_headers headers = {
        .forwarded = header_joined(ex, MHD_HTTP_HEADER_FORWARDED),
        .x_for = header_joined(ex, "X-Forwarded-For"),
        .x_proto = header_joined(ex, "X-Forwarded-Proto"),
        .x_host = header_joined(ex, "X-Forwarded-Host"),
        .host = header_copy(ex, MHD_HTTP_HEADER_HOST),
    };
    struct forwarded origin = { .peer = peer_text(ex), .proto = ex->web->tls ? "https" : "http" };
    TRY(forwarded_resolve(rq->arena, caraway->settings, &headers, &origin));
    rq->peer = origin.peer;
    rq->base_url = caraway->settings->external_url[0] != '\0' || origin.host == NULL
                       ? caraway->base_url
                       : arena_printf(rq->arena, "%s://%s", origin.proto, origin.host);
    return rq->base_url != NULL;
}

/* The headers are in: find the route, so that the body's limit is known before its first byte is kept. */
static void exchange_begin(struct exchange *ex, const char *url, const char *method)
{
    struct request *rq = &ex->rq;
    rq->method = method_of(method);
    rq->path = arena_text(rq->arena, url);
    rq->content_type = header_copy(ex, MHD_HTTP_HEADER_CONTENT_TYPE);
    rq->accept = header_copy(ex, MHD_HTTP_HEADER_ACCEPT);
    rq->cross_origin = MHD_lookup_connection_value(ex->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN) != NULL;
    bool whole = rq->path != NULL && read_origin(ex);
    if (!whole)
        problem_out_of_memory(&rq->problem);
    rq->body = BUF_INIT(whole && request_limit_pass(rq) && request_route(rq) ? rq->route->body_max : 0);
}

/* A body over the limit is read and thrown away up to a bound, so that the sender reads our answer and keeps its
 * connection; beyond the bound the connection is cut. */
static enum MHD_Result take_body(struct exchange *ex, const char *data, size_t *data_len)
{
    ex->received += *data_len;
    if (ex->received > DISCARD_MAX_BYTES)
        return MHD_NO;
    buf_append(&ex->rq.body, data, *data_len);
    *data_len = 0;
    return MHD_YES;
}

/* Waits for the next block: only the admin commands' listener streams, and its thread serves nobody else. */
static ssize_t next_block(void *cls, uint64_t position, char *out, size_t max)
{
    (void)position;
    ssize_t got = stream_read(cls, out, max);
    if (got > 0)
        return got;
    return got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void drop_stream(void *cls)
{
    stream_drop(cls);
}

static struct MHD_Response *make_response(struct reply *reply)
{
    if (reply->stream != NULL) {
        struct MHD_Response *streamed = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
                                                                          next_block, reply->stream, drop_stream);
        if (streamed != NULL)
            reply->stream = NULL;
        return streamed;
    }
    size_t len = 0;
    char *body = buf_take(&reply->body, &len);
    if (body == NULL)
        return NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(body);
    return response;
}

static enum MHD_Result answer(struct exchange *ex)
{
    ex->phase = PHASE_ANSWERED;
    work_ended(ex->web);
    struct reply *reply = &ex->rq.reply;
    request_finish(&ex->rq);
    if (reply->stream == NULL)
        web_socket_set_deadline(ex->socket,
                                ex->web->request_timeout_ms + (int64_t)reply->body.len * 1000 / SLOWEST_BYTES_PER_S);
    struct MHD_Response *response = make_response(reply);
    if (response == NULL)
        return MHD_NO;
    if (reply->content_type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (ex->web->stopping)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued = MHD_queue_response(ex->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

static void start_work(struct exchange *ex)
{
    struct request *rq = &ex->rq;
    if (rq->route == NULL)
        return;
    if (rq->body.failed && ex->received <= rq->route->body_max)
        problem_out_of_memory(&rq->problem);
    else if (rq->body.failed)
        problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 413, "the body has %zu bytes; %s takes at most %u",
                            ex->received, rq->path, rq->route->body_max);
    else
        request_dispatch(rq);
}

static enum MHD_Result work(struct exchange *ex)
{
    struct request *rq = &ex->rq;
    if (ex->phase == PHASE_READING) {
        web_socket_set_deadline(ex->socket, 0);
        if (!work_begins(ex->web))
            return MHD_NO;
        ex->phase = PHASE_WORKING;
        start_work(ex);
    } else if (rq->suspended) {
        rq->suspended = false;
        request_continue(rq);
    }
    if (rq->suspended)
        return MHD_YES;
    return answer(ex);
}

enum MHD_Result web_on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *data_len, void **context)
{
    (void)cls;
    (void)connection;
    (void)version;
    struct exchange *ex = *context;
    if (ex == NULL || ex->rq.arena == NULL || ex->rq.target == NULL)
        return MHD_NO;
    if (ex->rq.path == NULL) {
        exchange_begin(ex, url, method);
        return ex->rq.path != NULL ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0)
        return take_body(ex, data, data_len);
    return work(ex);
}

const char *request_argument(struct request *rq, const char *name)
{
    return MHD_lookup_connection_value(exchange_of(rq)->connection, MHD_GET_ARGUMENT_KIND, name);
}

void request_wait(struct request *rq, request_handler *after)
{
    struct exchange *ex = exchange_of(rq);
    rq->after = after;
    if (rq->suspended)
        return;
    rq->suspended = true;
    MHD_suspend_connection(ex->connection);
}

void request_resume(struct request *rq)
{
    MHD_resume_connection(exchange_of(rq)->connection);
}
