#include "test-client/dns_server.h"

#include "test-client/udp_server.h"

#include <stdio.h>

enum { PREFIX_BYTES = 2, FREE_PORT_TRIES = 16 };

struct dns_server {
    struct udp_server *udp;
    struct tcp_server *tcp;
    dns_handler *handler;
    void *owner;
    struct buf answer, framed; /* of the one query that is answered at any time */
};

unsigned dns_answer_from_zone(void *zone, struct bytes query, enum dns_transport transport, struct buf *out)
{
    mock_zone_answer(zone, query, transport, out);
    return 0;
}

/* False when there is nothing to say. */
static bool make_answer(struct dns_server *server, struct bytes query, enum dns_transport transport, unsigned *delay_ms)
{
    buf_clear(&server->answer);
    *delay_ms = server->handler(server->owner, query, transport, &server->answer);
    return !server->answer.failed && server->answer.len > 0;
}

static size_t answer_stream(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    (void)state;
    struct dns_server *server = owner;
    size_t len = input.len >= PREFIX_BYTES ? (size_t)input.data[0] << 8 | input.data[1] : DNS_MESSAGE_MAX;
    if (input.len < PREFIX_BYTES + len)
        return 0;
    unsigned delay_ms;
    if (!make_answer(server, bytes_of(input.data + PREFIX_BYTES, len), DNS_OVER_STREAM, &delay_ms)) {
        tcp_conn_close(conn);
        return 0;
    }
    buf_clear(&server->framed);
    dns_write_u16(&server->framed, (uint16_t)server->answer.len);
    buf_append(&server->framed, server->answer.data, server->answer.len);
    tcp_conn_delay(conn, delay_ms);
    tcp_conn_write(conn, buf_bytes(&server->framed));
    return PREFIX_BYTES + len;
}

static const struct tcp_protocol dns_protocol = {
    .unread_max = PREFIX_BYTES + DNS_MESSAGE_MAX,
    .input = answer_stream,
};

static void answer_datagram(void *owner, const struct udp_peer *peer, struct bytes datagram)
{
    struct dns_server *server = owner;
    unsigned delay_ms;
    if (make_answer(server, datagram, DNS_OVER_UDP, &delay_ms))
        udp_server_send(server->udp, peer, buf_bytes(&server->answer), delay_ms);
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

/* TCP first, then UDP on the port TCP has got. */
static int bind_both(struct dns_server *server, uv_loop_t *loop, struct sockaddr_storage address,
                     char why[static LISTEN_WHY_SIZE])
{
    if (!tcp_server_start(loop, &address, NULL, &dns_protocol, server, &server->tcp, why))
        return UV_EINVAL;
    set_port(&address, tcp_server_port(server->tcp));
    int error = udp_server_start(loop, &address, answer_datagram, server, &server->udp);
    if (error == 0)
        return 0;
    snprintf(why, LISTEN_WHY_SIZE, "%s (UDP)", uv_strerror(error));
    tcp_server_drop(TAKE(server->tcp));
    return error;
}

bool dns_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, dns_handler *handler, void *owner,
                      struct dns_server **out, char why[static LISTEN_WHY_SIZE])
{
    AUTO(dns_server) server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    server->handler = handler;
    server->owner = owner;
    server->answer = BUF_INIT(2 * DNS_MESSAGE_MAX);
    server->framed = BUF_INIT(PREFIX_BYTES + DNS_MESSAGE_MAX);
    int tries = listen_port_of(address) == 0 ? FREE_PORT_TRIES : 1;
    int error = UV_EADDRINUSE;
    while (error == UV_EADDRINUSE && tries-- > 0)
        error = bind_both(server, loop, *address, why);
    TRY(error == 0);
    *out = TAKE(server);
    return true;
}

void dns_server_drop(struct dns_server *server)
{
    if (server == NULL)
        return;
    tcp_server_drop(server->tcp);
    udp_server_drop(server->udp);
    buf_free(&server->answer);
    buf_free(&server->framed);
    free(server);
}

uint16_t dns_server_port(const struct dns_server *server)
{
    return tcp_server_port(server->tcp);
}
