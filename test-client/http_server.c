#include "test-client/http_server.h"

#include <stdio.h>

enum { RESPONSE_HEAD_MAX = 512 + HTTP_LOCATION_MAX, RESPONSE_BODY_MAX = 16 << 20 };

struct http_server {
    struct tcp_server *tcp;
    bool tls;
    http_handler *handler;
    void *owner;
    struct buf chunks, body, out; /* for the one request that is answered at any time */
};

struct http_conn {
    bool told_to_continue;
};

static void *open_conn(void *owner, struct tcp_conn *conn)
{
    (void)owner;
    (void)conn;
    return calloc(1, sizeof(struct http_conn));
}

static void send_response(struct http_server *server, struct tcp_conn *conn, const struct http_response *response,
                          bool keep_alive, bool with_body)
{
    struct buf *out = &server->out;
    buf_clear(out);
    buf_printf(out, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: %s\r\n", response->status,
               http_status_text(response->status), response->body->len, keep_alive ? "keep-alive" : "close");
    if (response->content_type != NULL)
        buf_printf(out, "Content-Type: %s\r\n", response->content_type);
    if (response->location != NULL)
        buf_printf(out, "Location: %s\r\n", response->location);
    buf_text(out, "\r\n");
    if (with_body)
        buf_append(out, response->body->data, response->body->len);
    if (out->failed || response->body->failed) {
        tcp_conn_close(conn);
        return;
    }
    tcp_conn_delay(conn, response->delay_ms);
    tcp_conn_write(conn, buf_bytes(out));
    if (!keep_alive)
        tcp_conn_finish(conn);
}

static void send_refusal(struct http_server *server, struct tcp_conn *conn, int status)
{
    buf_clear(&server->body);
    buf_printf(&server->body, "%s\n", http_status_text(status));
    struct http_response response = { .status = status, .content_type = "text/plain", .body = &server->body };
    send_response(server, conn, &response, false, true);
}

static void answer(struct http_server *server, struct tcp_conn *conn, struct http_request *request)
{
    request->tls = server->tls;
    request->server_name = tcp_conn_server_name(conn);
    buf_clear(&server->body);
    struct http_response response = { .status = 200, .body = &server->body };
    server->handler(server->owner, request, &response);
    send_response(server, conn, &response, request->keep_alive, !bytes_equal_text(request->method, "HEAD"));
}

static size_t take_input(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    struct http_server *server = owner;
    struct http_conn *http = state;
    struct http_request request;
    size_t used = 0;
    int status = 0;
    switch (http_request_parse(input, &server->chunks, &request, &used, &status)) {
    case HTTP_DONE:
        http->told_to_continue = false;
        answer(server, conn, &request);
        break;
    case HTTP_BAD:
        send_refusal(server, conn, status);
        break;
    case HTTP_MORE:
        if (request.expects_continue && !http->told_to_continue)
            tcp_conn_write(conn, bytes_text("HTTP/1.1 100 Continue\r\n\r\n"));
        http->told_to_continue |= request.expects_continue;
        break;
    }
    return used;
}

static const struct tcp_protocol http_protocol = {
    .unread_max = HTTP_UNREAD_MAX,
    .open = open_conn,
    .close = free,
    .input = take_input,
};

bool http_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *tls, http_handler *handler,
                       void *owner, struct http_server **out, char why[static LISTEN_WHY_SIZE])
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    *server = (struct http_server) {
        .tls = tls != NULL,
        .handler = handler,
        .owner = owner,
        .chunks = BUF_INIT(HTTP_BODY_MAX),
        .body = BUF_INIT(RESPONSE_BODY_MAX),
        .out = BUF_INIT(RESPONSE_HEAD_MAX + RESPONSE_BODY_MAX),
    };
    if (!tcp_server_start(loop, address, tls, &http_protocol, server, &server->tcp, why)) {
        http_server_drop(server);
        return false;
    }
    *out = server;
    return true;
}

void http_server_drop(struct http_server *server)
{
    if (server == NULL)
        return;
    tcp_server_drop(server->tcp);
    buf_free(&server->chunks);
    buf_free(&server->body);
    buf_free(&server->out);
    free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
    return tcp_server_port(server->tcp);
}
