#include "tests/test-client/loopback.h"

#include "base/world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in) {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int connected(int kind, uint16_t port)
{
    struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

int loopback_connect(uint16_t port)
{
    return connected(SOCK_STREAM, port);
}

int loopback_udp(uint16_t port)
{
    return connected(SOCK_DGRAM, port);
}

void loopback_send(int fd, const void *data, size_t len)
{
    CHECK(send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len);
}

void loopback_wait(uv_loop_t *loop, int fd)
{
    int64_t deadline_ms = monotonic_ms() + LOOPBACK_DEADLINE_MS;
    struct pollfd polled[] = { { .fd = fd, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
    while (poll(polled, 1, 0) == 0) {
        CHECK(monotonic_ms() < deadline_ms);
        if (loop != NULL) {
            uv_run(loop, UV_RUN_NOWAIT);
            polled[1].fd = uv_backend_fd(loop);
        }
        int timer_ms = loop != NULL ? uv_backend_timeout(loop) : 1000;
        poll(polled, 2, timer_ms >= 0 && timer_ms < 1000 ? timer_ms : 1000);
    }
}

static bool read_some(uv_loop_t *loop, int fd, struct buf *out)
{
    char block[65536];
    loopback_wait(loop, fd);
    ssize_t got = recv(fd, block, sizeof block, 0);
    TRY(got > 0);
    buf_append(out, block, (size_t)got);
    CHECK(!out->failed);
    return true;
}

bool loopback_read(uv_loop_t *loop, int fd, struct buf *out, size_t len)
{
    while (out->len < len)
        TRY(read_some(loop, fd, out));
    return true;
}

void loopback_read_to_end(uv_loop_t *loop, int fd, struct buf *out)
{
    while (read_some(loop, fd, out))
        continue;
}

void loopback_exchange(uv_loop_t *loop, uint16_t port, const char *request, struct buf *out)
{
    int fd = loopback_connect(port);
    loopback_send(fd, request, strlen(request));
    loopback_read_to_end(loop, fd, out);
    close(fd);
}

void loopback_end(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(loop) == 0);
}

struct sockaddr_storage loopback_any(void)
{
    struct sockaddr_storage address = { 0 };
    struct sockaddr_in loopback = address_of(0);
    memcpy(&address, &loopback, sizeof loopback);
    return address;
}
