#include "tests/validators/support.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 8192 };
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener, ended;
static struct validators *validators;

static void start(void)
{
    static const char *const loopback[] = { "127.0.0.1" };
    static const struct validators_host hosts[] = { { "a.test", loopback, 1 } };
    struct validators_options options = test_options();
    listener = bound_socket(SOCK_STREAM, &options.http_port);
    CHECK(listen(listener, SOMAXCONN) == 0);
    ended = eventfd(0, EFD_CLOEXEC);
    options.hosts = hosts;
    options.host_count = 1;
    options.dns_timeout_ms = options.total_timeout_ms = 100;
    validators = test_validators(&options);
}

/* Nothing but the key authorization, in whatever dress, passes; a refusal says why in printable words. */
static void on_done(struct validation *validation, void *arg)
{
    const struct bytes *answer = arg;
    CHECK(!validation->ok || memmem(answer->data, answer->len, "mqTI", 4) != NULL);
    for (const char *c = validation->ok ? "" : validation->problem.detail; *c != '\0'; c++)
        CHECK(*c >= ' ' && *c < 0x7f);
    CHECK(write(ended, &(uint64_t) { 1 }, 8) == 8);
}

static void answer_once(struct bytes answer)
{
    char request[4096];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    (void)!recv(fd, request, sizeof request, 0);
    (void)!send(fd, answer.data, answer.len, MSG_NOSIGNAL);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes answer = bytes_of(data, size < ANSWER_MAX ? size : ANSWER_MAX);
    struct validation validation = { .type = CHALLENGE_HTTP_01,
                                     .identifier = { IDENTIFIER_DNS, "a.test" },
                                     .token = TOKEN,
                                     .key_authorization = KEY_AUTHORIZATION,
                                     .done = on_done,
                                     .arg = &answer };
    if (validators == NULL)
        start();
    validators_start(validators, &validation);
    for (;;) {
        struct pollfd fds[] = { { .fd = ended, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
        poll(fds, 2, -1);
        if (fds[1].revents != 0)
            answer_once(answer);
        else if (fds[0].revents != 0)
            return read(ended, &(uint64_t) { 0 }, 8) == 8 ? 0 : 1;
    }
}
