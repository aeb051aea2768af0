#include "tests/test-client/scripted_server.h"

#include "acme/jws.h"
#include "test-client/http_parse.h"
#include "tests/test-client/loopback.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20, ARENA_MAX = 4 << 20 };

static void append_with_url(struct buf *out, const char *text, const char *url)
{
    for (; *text != '\0'; text++) {
        if (*text == '@')
            buf_text(out, url);
        else
            buf_char(out, *text);
    }
}

/* RFC 8555 §6.5: what is signed carries the newest nonce, once. */
static void check_nonce(struct scripted_server *server, struct bytes body)
{
    AUTO(arena) arena = arena_create(ARENA_MAX);
    struct jws jws;
    struct acme_problem problem;
    CHECK(arena != NULL);
    if (!jws_parse(arena, body, &jws, &problem))
        snprintf(server->mistake, sizeof server->mistake, "no JWS: %.200s", problem.detail);
    else if (jws.nonce == NULL || strcmp(jws.nonce, server->last_nonce) != 0)
        snprintf(server->mistake, sizeof server->mistake, "nonce %.50s, not %s", jws.nonce, server->last_nonce);
    else
        jws_clear(&jws);
    server->last_nonce[0] = '\0';
}

static const struct script_row *next_row(struct scripted_server *server)
{
    const struct script_row *row = server->next;
    if (row[0].request == NULL)
        return row - 1;
    server->next++;
    return row;
}

static void check_request(struct scripted_server *server, const struct script_row *row,
                          const struct http_request *request)
{
    char got[200];
    snprintf(got, sizeof got, "%.*s %.*s", (int)request->method.len, (const char *)request->method.data,
             (int)request->path.len, (const char *)request->path.data);
    if (strcmp(got, row->request) != 0)
        snprintf(server->mistake, sizeof server->mistake, "%.130s, not %.130s", got, row->request);
    if (bytes_equal_text(request->method, "POST"))
        check_nonce(server, request->body);
}

static void play(struct scripted_server *server, struct tcp_conn *conn, const struct http_request *request)
{
    const struct script_row *row = next_row(server);
    server->played++;
    check_request(server, row, request);
    if (row->status == 0) {
        tcp_conn_close(conn);
        return;
    }
    bool head = bytes_equal_text(request->method, "HEAD");
    AUTO_BUF(body, TEXT_MAX);
    AUTO_BUF(answer, TEXT_MAX);
    append_with_url(&body, row->body != NULL ? row->body : "", server->url);
    buf_printf(&answer, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n", row->status, body.len);
    append_with_url(&answer, row->headers != NULL ? row->headers : "", server->url);
    if (head || !server->keeps_nonces) {
        snprintf(server->last_nonce, sizeof server->last_nonce, "n%07u", ++server->nonces);
        buf_printf(&answer, "Replay-Nonce: %s\r\n", server->last_nonce);
    }
    buf_text(&answer, "\r\n");
    buf_append(&answer, body.data, head ? 0 : body.len);
    tcp_conn_write(conn, buf_bytes(&answer));
}

static size_t on_input(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    (void)state;
    AUTO_BUF(chunks, HTTP_BODY_MAX);
    struct http_request request;
    size_t used = 0;
    int status;
    if (http_request_parse(input, &chunks, &request, &used, &status) == HTTP_DONE)
        play(owner, conn, &request);
    return used;
}

static const struct tcp_protocol protocol = { .unread_max = HTTP_UNREAD_MAX, .input = on_input };

void scripted_server_start(struct scripted_server *server, uv_loop_t *loop)
{
    *server = (struct scripted_server) { 0 };
    struct sockaddr_storage address = loopback_any();
    char why[LISTEN_WHY_SIZE];
    CHECK(tcp_server_start(loop, &address, NULL, &protocol, server, &server->tcp, why));
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", tcp_server_port(server->tcp));
}

void scripted_server_drop(struct scripted_server *server)
{
    tcp_server_drop(server->tcp);
}

void scripted_server_play(struct scripted_server *server, const struct script_row *rows)
{
    server->next = rows;
    server->played = 0;
}
