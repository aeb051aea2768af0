#include "tests/validators/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HELD_MAX = 1024, REQUEST_MAX = 4096 };

struct tcp_server {
    const struct tcp_row *rows;
    size_t count;
    int fd, stop_fd;
    pthread_t thread;
    int held[HELD_MAX];
    size_t held_count;
    atomic_uint requests;
    pthread_mutex_t lock; /* guards last and the rows' texts */
    char last[REQUEST_MAX];
};

int bound_socket(int type, uint16_t *out_port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *out_port = ntohs(in.sin_port);
    return fd;
}

uint16_t unused_port(void)
{
    uint16_t port;
    close(bound_socket(SOCK_STREAM, &port));
    return port;
}

static const struct tcp_row *find_row(const struct tcp_server *server, const char *request)
{
    const char *path = strchr(request, ' ');
    for (size_t i = 0; path != NULL && i < server->count; i++)
        if (strncmp(path + 1, server->rows[i].path, strlen(server->rows[i].path)) == 0)
            return &server->rows[i];
    return NULL;
}

static void read_request(int fd, char *out)
{
    size_t len = 0;
    ssize_t got = 1;
    out[0] = '\0';
    while (got > 0 && len < REQUEST_MAX - 1 && strstr(out, "\r\n\r\n") == NULL) {
        got = recv(fd, out + len, REQUEST_MAX - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
        out[len] = '\0';
    }
}

static void serve(struct tcp_server *server, int fd)
{
    static const struct linger reset = { .l_onoff = 1 };
    char request[REQUEST_MAX];
    read_request(fd, request);
    atomic_fetch_add(&server->requests, 1); /* before the answer, after which the test may look */
    pthread_mutex_lock(&server->lock);
    memcpy(server->last, request, sizeof request);
    const struct tcp_row *row = find_row(server, request);
    if (row != NULL && row->text != NULL)
        (void)!send(fd, row->text, strlen(row->text), MSG_NOSIGNAL);
    pthread_mutex_unlock(&server->lock);
    if (row != NULL && row->action == TCP_RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (row != NULL && row->action == TCP_SEND_THEN_HANG && server->held_count < HELD_MAX)
        server->held[server->held_count++] = fd;
    else
        close(fd);
}

static void *run_tcp(void *arg)
{
    struct tcp_server *server = arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = server->fd, .events = POLLIN }, { .fd = server->stop_fd, .events = POLLIN } };
        poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(server, fd);
    }
}

struct tcp_server *tcp_server_start(const struct tcp_row *rows, size_t count)
{
    struct tcp_server *server = calloc(1, sizeof *server);
    uint16_t port;
    assert_non_null(server);
    server->rows = rows;
    server->count = count;
    server->fd = bound_socket(SOCK_STREAM, &port);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&server->lock, NULL);
    assert_int_equal(listen(server->fd, SOMAXCONN), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, run_tcp, server), 0);
    return server;
}

uint16_t tcp_server_port(const struct tcp_server *server)
{
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&in, &len), 0);
    return ntohs(in.sin_port);
}

unsigned tcp_server_requests(struct tcp_server *server)
{
    return atomic_load(&server->requests);
}

const char *tcp_server_last_request(struct tcp_server *server)
{
    pthread_mutex_lock(&server->lock);
    pthread_mutex_unlock(&server->lock);
    return server->last;
}

void tcp_server_rewrite(struct tcp_server *server, char *to, size_t size, const char *text)
{
    pthread_mutex_lock(&server->lock);
    snprintf(to, size, "%s", text);
    pthread_mutex_unlock(&server->lock);
}

void tcp_server_stop(struct tcp_server *server)
{
    assert_int_equal(write(server->stop_fd, &(uint64_t) { 1 }, 8), 8);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->held_count; i++)
        close(server->held[i]);
    close(server->fd);
    close(server->stop_fd);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

struct validators_options test_options(void)
{
    static const char *const allowed[] = { "loopback" };
    return (struct validators_options) {
        .threads = 1,
        .http_port = 5002,
        .tls_port = 5001,
        .dns_server = "127.0.0.1:1",
        .allow_addresses = allowed,
        .allow_address_count = ARRAY_SIZE(allowed),
        .dns_timeout_ms = 5000,
        .connect_timeout_ms = 5000,
        .total_timeout_ms = 10000,
        .user_agent = "caraway-test",
    };
}

struct validators *test_validators(const struct validators_options *options)
{
    struct validators *validators;
    char why[VALIDATORS_WHY_SIZE] = "";
    bool ok = validators_open(options, &validators, why);
    assert_string_equal(why, "");
    assert_true(ok);
    return validators;
}

struct waiting {
    struct validation validation;
    struct outcome *outcome;
    pthread_mutex_t lock; /* guards done */
    pthread_cond_t changed;
    bool done;
};

static void on_done(struct validation *validation, void *arg)
{
    struct waiting *waiting = arg;
    waiting->outcome->ok = validation->ok;
    waiting->outcome->warned = validation->warned;
    waiting->outcome->valid_until_ms = validation->valid_until_ms;
    waiting->outcome->problem = validation->problem;
    snprintf(waiting->outcome->trace, sizeof waiting->outcome->trace, "%s", validation->trace);
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

typedef void start_validation(struct validators *validators, struct validation *validation);

static void run_validation(struct validators *validators, start_validation *start, struct validation asked,
                           struct outcome *out)
{
    struct waiting waiting = { .validation = asked, .outcome = out };
    waiting.validation.done = on_done;
    waiting.validation.arg = &waiting;
    memset(out, 0, sizeof *out);
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.changed, NULL);
    start(validators, &waiting.validation);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.changed);
    pthread_mutex_destroy(&waiting.lock);
}

void validate_this(struct validators *validators, struct validation asked, struct outcome *out)
{
    run_validation(validators, validators_start, asked, out);
}

void check_caa(struct validators *validators, struct validation asked, struct outcome *out)
{
    run_validation(validators, validators_check_caa, asked, out);
}

void validate(struct validators *validators, enum acme_challenge_type type, struct acme_identifier identifier,
              struct outcome *out)
{
    struct validation asked = {
        .type = type,
        .identifier = identifier,
        .token = TOKEN,
        .key_authorization = KEY_AUTHORIZATION,
        .account_url = ACCOUNT_URL,
    };
    validate_this(validators, asked, out);
}

struct acme_identifier dns_name(const char *name)
{
    return (struct acme_identifier) { IDENTIFIER_DNS, name };
}

struct acme_identifier ip_name(const char *address)
{
    return (struct acme_identifier) { IDENTIFIER_IP, address };
}

void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

void assert_problem(const struct outcome *outcome, enum acme_problem_type type, const char *part_of_detail)
{
    assert_false(outcome->ok);
    assert_has(outcome->problem.detail, part_of_detail);
    assert_string_equal(problem_type_text(outcome->problem.type), problem_type_text(type));
    json_error_t error;
    json_t *trace = json_loads(outcome->trace, 0, &error);
    assert_true(json_is_array(trace));
    json_decref(trace);
}
