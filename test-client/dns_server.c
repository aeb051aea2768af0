#include "test-client/dns_server.h"

#include "test-client/tcp_server.h"

#include <netinet/in.h>
#include <stdio.h>

enum { PREFIX_BYTES = 2, FREE_PORT_TRIES = 16, DNS_SERVER_MAGIC = 0x7c0d5e12 };

struct dns_server {
    unsigned magic;
    uv_udp_t udp;
    struct tcp_server *tcp;
    const struct mock_zone *zone;
    struct buf answer, framed; /* of the one query that is answered at any time */
    char read_space[DNS_MESSAGE_MAX + 1];
};

static struct dns_server *server_of(const uv_handle_t *handle)
{
    struct dns_server *server = handle->data;
    CHECK(server != NULL && server->magic == DNS_SERVER_MAGIC);
    return server;
}

static size_t answer_stream(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    (void)state;
    struct dns_server *server = owner;
    size_t len = input.len >= PREFIX_BYTES ? (size_t)input.data[0] << 8 | input.data[1] : DNS_MESSAGE_MAX;
    if (input.len < PREFIX_BYTES + len)
        return 0;
    mock_zone_answer(server->zone, bytes_of(input.data + PREFIX_BYTES, len), DNS_OVER_STREAM, &server->answer);
    if (server->answer.failed || server->answer.len == 0) {
        tcp_conn_close(conn);
        return 0;
    }
    buf_clear(&server->framed);
    dns_write_u16(&server->framed, (uint16_t)server->answer.len);
    buf_append(&server->framed, server->answer.data, server->answer.len);
    tcp_conn_write(conn, buf_bytes(&server->framed));
    return PREFIX_BYTES + len;
}

static const struct tcp_protocol dns_protocol = {
    .unread_max = PREFIX_BYTES + DNS_MESSAGE_MAX,
    .input = answer_stream,
};

static void read_space(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct dns_server *server = server_of(handle);
    *out = uv_buf_init(server->read_space, sizeof server->read_space);
}

static void answer_datagram(uv_udp_t *udp, ssize_t got, const uv_buf_t *space, const struct sockaddr *from,
                            unsigned flags)
{
    struct dns_server *server = server_of((const uv_handle_t *)udp);
    if (got <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0)
        return;
    mock_zone_answer(server->zone, bytes_of(space->base, (size_t)got), DNS_OVER_UDP, &server->answer);
    if (server->answer.failed || server->answer.len == 0)
        return;
    uv_buf_t data = uv_buf_init(server->answer.data, (unsigned)server->answer.len);
    uv_udp_try_send(udp, &data, 1, from); /* a full socket loses the answer, as UDP may; the asker asks again */
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

/* TCP first, then UDP on the port TCP has got. */
static int bind_both(struct dns_server *server, struct sockaddr_storage address, char why[static LISTEN_WHY_SIZE])
{
    if (!tcp_server_start(server->udp.loop, &address, &dns_protocol, server, &server->tcp, why))
        return UV_EINVAL;
    set_port(&address, tcp_server_port(server->tcp));
    int error = uv_udp_bind(&server->udp, (const struct sockaddr *)&address, 0);
    if (error == 0)
        error = uv_udp_recv_start(&server->udp, read_space, answer_datagram);
    if (error == 0)
        return 0;
    snprintf(why, LISTEN_WHY_SIZE, "%s (UDP)", uv_strerror(error));
    tcp_server_drop(TAKE(server->tcp));
    return error;
}

bool dns_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, const struct mock_zone *zone,
                      struct dns_server **out, char why[static LISTEN_WHY_SIZE])
{
    struct dns_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    server->magic = DNS_SERVER_MAGIC;
    server->zone = zone;
    server->answer = BUF_INIT(2 * DNS_MESSAGE_MAX);
    server->framed = BUF_INIT(PREFIX_BYTES + DNS_MESSAGE_MAX);
    CHECK(uv_udp_init(loop, &server->udp) == 0);
    server->udp.data = server;
    int tries = listen_port_of(address) == 0 ? FREE_PORT_TRIES : 1;
    int error = UV_EADDRINUSE;
    while (error == UV_EADDRINUSE && tries-- > 0)
        error = bind_both(server, *address, why);
    if (error != 0) {
        dns_server_drop(server);
        return false;
    }
    *out = server;
    return true;
}

static void udp_closed(uv_handle_t *handle)
{
    struct dns_server *server = server_of(handle);
    buf_free(&server->answer);
    buf_free(&server->framed);
    free(server);
}

void dns_server_drop(struct dns_server *server)
{
    if (server == NULL)
        return;
    tcp_server_drop(server->tcp);
    uv_close((uv_handle_t *)&server->udp, udp_closed);
}

uint16_t dns_server_port(const struct dns_server *server)
{
    return tcp_server_port(server->tcp);
}
