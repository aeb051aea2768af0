#include "test-client/udp_server.h"

#include <errno.h>
#include <unistd.h>

enum {
    DATAGRAM_MAX = 65536,
    BATCH = 64,
    RECEIVE_BYTES = 4 << 20,
    WAITING_MAX = 4096,
    SERVER_MAGIC = 0x7c0d9a31,
    LATER_MAGIC = 0x7c0d9a32
};

/* A datagram that is sent when its time has come. */
struct later {
    unsigned magic;
    uv_timer_t timer;
    struct udp_server *server;
    struct later *next, **link;
    struct udp_peer peer;
    size_t len;
    char data[];
};

struct udp_server {
    unsigned magic;
    uv_poll_t poll;
    int fd;
    udp_handler *handler;
    void *owner;
    struct later *waiting;
    size_t waiting_count;
    unsigned handles; /* whose close callback is still to come */
    char read_space[DATAGRAM_MAX];
};

static struct udp_server *server_of(const uv_poll_t *poll)
{
    struct udp_server *server = poll->data;
    CHECK(server != NULL && server->magic == SERVER_MAGIC);
    return server;
}

static struct later *later_of(const void *timer)
{
    struct later *later = ((const uv_handle_t *)timer)->data;
    CHECK(later != NULL && later->magic == LATER_MAGIC);
    return later;
}

static void release(struct udp_server *server)
{
    CHECK(server->handles > 0);
    if (--server->handles == 0)
        free(server);
}

/* Room for the one control message that says a local address. */
union control {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    struct cmsghdr alignment;
};

static void read_local(struct msghdr *message, struct udp_peer *peer)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    if (part == NULL)
        return;
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        memcpy(&peer->local_ipv4, CMSG_DATA(part), sizeof peer->local_ipv4);
        peer->local_ipv4.ipi_ifindex = 0; /* the route decides; only the address is ours to say */
        peer->level = IPPROTO_IP;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
        memcpy(&peer->local_ipv6, CMSG_DATA(part), sizeof peer->local_ipv6);
        if (!IN6_IS_ADDR_LINKLOCAL(&peer->local_ipv6.ipi6_addr)) /* which means nothing without its interface */
            peer->local_ipv6.ipi6_ifindex = 0;
        peer->level = IPPROTO_IPV6;
    }
}

/* False when nothing is there. */
static bool receive(struct udp_server *server, struct udp_peer *out_peer, struct bytes *out)
{
    union control control;
    struct udp_peer peer = { .level = -1 };
    struct iovec space = { server->read_space, sizeof server->read_space };
    struct msghdr message = {
        .msg_name = &peer.remote,
        .msg_namelen = sizeof peer.remote,
        .msg_iov = &space,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t got = recvmsg(server->fd, &message, MSG_DONTWAIT);
    TRY(got >= 0);
    peer.remote_len = message.msg_namelen;
    read_local(&message, &peer);
    *out_peer = peer;
    *out = bytes_of(server->read_space, (size_t)got);
    return true;
}

static void readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct udp_server *server = server_of(poll);
    struct udp_peer peer;
    struct bytes datagram;
    for (int i = 0; status == 0 && i < BATCH && !uv_is_closing((uv_handle_t *)poll); i++) {
        if (!receive(server, &peer, &datagram))
            return;
        if (datagram.len > 0)
            server->handler(server->owner, &peer, datagram);
    }
}

static void write_local(const struct udp_peer *peer, struct msghdr *message)
{
    const void *local = peer->level == IPPROTO_IP ? (const void *)&peer->local_ipv4 : &peer->local_ipv6;
    size_t len = peer->level == IPPROTO_IP ? sizeof peer->local_ipv4 : sizeof peer->local_ipv6;
    message->msg_controllen = CMSG_SPACE(len);
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    part->cmsg_level = peer->level;
    part->cmsg_type = peer->level == IPPROTO_IP ? IP_PKTINFO : IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(part), local, len);
}

static void send_now(struct udp_server *server, const struct udp_peer *peer, struct bytes datagram)
{
    union control control = { 0 };
    struct iovec data = { (void *)datagram.data, datagram.len };
    struct msghdr message = {
        .msg_name = (void *)&peer->remote,
        .msg_namelen = peer->remote_len,
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    if (peer->level >= 0)
        write_local(peer, &message);
    else
        message.msg_controllen = 0;
    (void)!sendmsg(server->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void later_closed(uv_handle_t *timer)
{
    struct later *later = later_of(timer);
    release(later->server);
    free(later);
}

static void later_drop(struct later *later)
{
    *later->link = later->next;
    if (later->next != NULL)
        later->next->link = later->link;
    later->server->waiting_count--;
    uv_close((uv_handle_t *)&later->timer, later_closed);
}

static void time_has_come(uv_timer_t *timer)
{
    struct later *later = later_of(timer);
    send_now(later->server, &later->peer, bytes_of(later->data, later->len));
    later_drop(later);
}

static void send_later(struct udp_server *server, const struct udp_peer *peer, struct bytes datagram, unsigned delay_ms)
{
    struct later *later = server->waiting_count < WAITING_MAX ? malloc(sizeof *later + datagram.len) : NULL;
    if (later == NULL)
        return;
    *later = (struct later) { .magic = LATER_MAGIC, .server = server, .peer = *peer, .len = datagram.len };
    memcpy(later->data, datagram.data, datagram.len);
    later->next = server->waiting;
    later->link = &server->waiting;
    if (later->next != NULL)
        later->next->link = &later->next;
    server->waiting = later;
    server->waiting_count++;
    server->handles++;
    CHECK(uv_timer_init(server->poll.loop, &later->timer) == 0);
    later->timer.data = later;
    CHECK(uv_timer_start(&later->timer, time_has_come, delay_ms, 0) == 0);
}

void udp_server_send(struct udp_server *server, const struct udp_peer *peer, struct bytes datagram, unsigned delay_ms)
{
    if (delay_ms == 0)
        send_now(server, peer, datagram);
    else
        send_later(server, peer, datagram, delay_ms);
}

static bool set_options(int fd, int family)
{
    static const int on = 1, off = 0, receive_bytes = RECEIVE_BYTES;
    /* a thousand validations may ask at once; less is granted where the system says so */
    (void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (family == AF_INET)
        return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

/* A socket, or libuv's error. */
static int bound_socket(const struct sockaddr_storage *address)
{
    int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    socklen_t len = address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (set_options(fd, address->ss_family) && bind(fd, (const struct sockaddr *)address, len) == 0)
        return fd;
    int error = uv_translate_sys_error(errno);
    close(fd);
    return error;
}

int udp_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, udp_handler *handler, void *owner,
                     struct udp_server **out)
{
    int fd = bound_socket(address);
    if (fd < 0)
        return fd;
    struct udp_server *server = calloc(1, sizeof *server);
    int error = server != NULL ? uv_poll_init(loop, &server->poll, fd) : UV_ENOMEM;
    if (error != 0) {
        close(fd);
        free(server);
        return error;
    }
    server->magic = SERVER_MAGIC;
    server->fd = fd;
    server->handler = handler;
    server->owner = owner;
    server->handles = 1;
    server->poll.data = server;
    CHECK(uv_poll_start(&server->poll, UV_READABLE, readable) == 0);
    *out = server;
    return 0;
}

static void poll_closed(uv_handle_t *handle)
{
    release(server_of((uv_poll_t *)handle));
}

void udp_server_drop(struct udp_server *server)
{
    if (server == NULL)
        return;
    while (server->waiting != NULL)
        later_drop(server->waiting);
    uv_poll_stop(&server->poll);
    close(server->fd); /* at once: the port may be wanted again */
    uv_close((uv_handle_t *)&server->poll, poll_closed);
}
