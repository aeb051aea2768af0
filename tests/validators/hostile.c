#include "tests/validators/hostile.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, NAME_SIZE = 48, TRICKLE_MS = 3, DRAIN_BYTES = 4096 };

struct connection {
    struct hostile_stage *stage;
    const void *row;
    int fd;
    pthread_t thread;
};

struct hostile_stage {
    const struct hostile_table *table;
    int listeners[HOSTILE_ROWS_MAX], stop_fd;
    uint16_t port;
    pthread_t thread;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count; /* of the thread */
    char names[HOSTILE_ROWS_MAX][NAME_SIZE], addresses[HOSTILE_ROWS_MAX][NAME_SIZE];
    const char *address_lists[HOSTILE_ROWS_MAX];
    struct validators_host hosts[HOSTILE_ROWS_MAX];
};

/* ---- the stage */

static void *run_connection(void *arg)
{
    struct connection *connection = arg;
    connection->stage->table->serve(connection->row, connection->fd);
    shutdown(connection->fd, SHUT_RDWR);
    return NULL;
}

static void take(struct hostile_stage *stage, size_t row)
{
    int fd = accept4(stage->listeners[row], NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    assert_true(stage->connection_count < CONNECTIONS_MAX);
    struct connection *connection = &stage->connections[stage->connection_count++];
    *connection = (struct connection) { .stage = stage, .row = hostile_row(stage->table, row), .fd = fd };
    assert_int_equal(pthread_create(&connection->thread, NULL, run_connection, connection), 0);
}

static void *run_stage(void *arg)
{
    struct hostile_stage *stage = arg;
    size_t count = stage->table->count;
    for (;;) {
        struct pollfd fds[HOSTILE_ROWS_MAX + 1];
        for (size_t i = 0; i < count; i++)
            fds[i] = (struct pollfd) { .fd = stage->listeners[i], .events = POLLIN };
        fds[count] = (struct pollfd) { .fd = stage->stop_fd, .events = POLLIN };
        poll(fds, count + 1, -1);
        if (fds[count].revents != 0)
            return NULL;
        for (size_t i = 0; i < count; i++)
            if (fds[i].revents != 0)
                take(stage, i);
    }
}

/* Row 0 is free to choose the port, which the others then need. */
static int listen_at(const char *address, uint16_t *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(*port) };
    socklen_t len = sizeof in;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &in.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

struct hostile_stage *hostile_start(const struct hostile_table *table)
{
    struct hostile_stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    assert_true(table->count <= HOSTILE_ROWS_MAX);
    stage->table = table;
    stage->stop_fd = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < table->count; i++) {
        bool listens = table->listens == NULL || table->listens(hostile_row(table, i));
        snprintf(stage->names[i], NAME_SIZE, "%zu.test", i);
        snprintf(stage->addresses[i], NAME_SIZE, "127.1.%d.%zu", getpid() % 250, i + 1);
        stage->address_lists[i] = stage->addresses[i];
        stage->hosts[i] = (struct validators_host) { stage->names[i], &stage->address_lists[i], 1 };
        stage->listeners[i] = listens ? listen_at(stage->addresses[i], &stage->port) : -1;
    }
    assert_int_equal(pthread_create(&stage->thread, NULL, run_stage, stage), 0);
    return stage;
}

uint16_t hostile_port(const struct hostile_stage *stage)
{
    return stage->port;
}

const struct validators_host *hostile_hosts(const struct hostile_stage *stage)
{
    return stage->hosts;
}

void hostile_stop(struct hostile_stage *stage)
{
    assert_int_equal(write(stage->stop_fd, &(uint64_t) { 1 }, 8), 8);
    pthread_join(stage->thread, NULL);
    for (size_t i = 0; i < stage->connection_count; i++) {
        shutdown(stage->connections[i].fd, SHUT_RDWR);
        pthread_join(stage->connections[i].thread, NULL);
        close(stage->connections[i].fd);
    }
    for (size_t i = 0; i < stage->table->count; i++)
        if (stage->listeners[i] >= 0)
            close(stage->listeners[i]);
    close(stage->stop_fd);
    free(stage);
}

/* ---- what targets do */

void hostile_send(int fd, const char *text, size_t len)
{
    (void)!send(fd, text, len, MSG_NOSIGNAL);
}

void hostile_send_again_and_again(int fd, const char *text, size_t len)
{
    while (send(fd, text, len, MSG_NOSIGNAL) > 0)
        continue;
}

void hostile_trickle(int fd, const char *text, size_t len)
{
    struct pollfd gone = { .fd = fd, .events = POLLRDHUP };
    for (size_t i = 0; send(fd, text + i % len, 1, MSG_NOSIGNAL) > 0; i++)
        if (poll(&gone, 1, TRICKLE_MS) > 0)
            return;
}

void hostile_wait(int fd)
{
    char drained[DRAIN_BYTES];
    while (recv(fd, drained, sizeof drained, 0) > 0)
        continue;
}

void hostile_wait_unread(int fd)
{
    struct pollfd gone = { .fd = fd, .events = POLLRDHUP };
    poll(&gone, 1, -1);
}

void hostile_reset(int fd)
{
    static const struct linger reset = { .l_onoff = 1 };
    static const struct sockaddr off = { .sa_family = AF_UNSPEC };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    connect(fd, &off, sizeof off); /* ends the connection at once, with RST */
}

/* ---- judging */

struct target {
    struct validation validation;
    struct hostile_round *round;
    char name[NAME_SIZE], trace[20000];
};

struct hostile_round {
    struct target targets[HOSTILE_ROWS_MAX];
    pthread_mutex_t lock; /* guards left */
    pthread_cond_t changed;
    size_t left;
};

static void on_done(struct validation *validation, void *arg)
{
    struct target *target = arg;
    snprintf(target->trace, sizeof target->trace, "%s", validation->trace);
    pthread_mutex_lock(&target->round->lock);
    target->round->left--;
    pthread_cond_signal(&target->round->changed);
    pthread_mutex_unlock(&target->round->lock);
}

static void start_all(struct validators *validators, const struct hostile_table *table, enum acme_challenge_type type,
                      bool slow, struct hostile_round *round)
{
    static const char *const issuers[] = { "ca.test" }, *const accounts[] = { ACCOUNT_URL };
    for (size_t i = 0; i < table->count; i++) {
        struct target *target = &round->targets[i];
        if (hostile_row(table, i)->slow != slow)
            continue;
        snprintf(target->name, NAME_SIZE, "%zu.test", i);
        target->round = round;
        target->validation = (struct validation) { .type = type,
                                                   .identifier = dns_name(target->name),
                                                   .token = TOKEN,
                                                   .key_authorization = KEY_AUTHORIZATION,
                                                   .account_url = ACCOUNT_URL,
                                                   .issuers = issuers,
                                                   .issuer_count = 1,
                                                   .accounts = accounts,
                                                   .account_count = 1,
                                                   .done = on_done,
                                                   .arg = target };
        pthread_mutex_lock(&round->lock);
        round->left++;
        pthread_mutex_unlock(&round->lock);
        validators_start(validators, &target->validation);
    }
}

static void wait_for_all(struct hostile_round *round)
{
    pthread_mutex_lock(&round->lock);
    while (round->left > 0)
        pthread_cond_wait(&round->changed, &round->lock);
    pthread_mutex_unlock(&round->lock);
}

static bool is_harmless(const char *text)
{
    for (; *text != '\0'; text++)
        TRY(*text >= ' ' && *text < 0x7f);
    return true;
}

static bool is_as_expected(const struct hostile_expect *expect, const struct target *target)
{
    const struct validation *validation = &target->validation;
    bool passes = expect->end == HOSTILE_PASSES;
    const char *found = passes ? target->trace : validation->problem.detail;
    TRY(validation->ok == passes);
    TRY(passes || (validation->problem.type == expect->problem && is_harmless(validation->problem.detail)));
    return expect->detail == NULL || strstr(found, expect->detail) != NULL;
}

static void compare(const struct hostile_expect *expect, const struct target *target, size_t *failures)
{
    json_error_t error;
    const struct validation *validation = &target->validation;
    json_t *trace = json_loads(target->trace, 0, &error);
    if (!json_is_array(trace) || !is_as_expected(expect, target)) {
        print_error("%s: %s: %s: %s\n", target->name, expect->what,
                    validation->ok ? "passes" : problem_type_text(validation->problem.type),
                    validation->ok ? target->trace : validation->problem.detail);
        ++*failures;
    }
    json_decref(trace);
}

void hostile_judge(const struct hostile_table *table, const struct validators_options *options,
                   enum acme_challenge_type type, bool slow)
{
    size_t failures = 0;
    struct hostile_round *round = calloc(1, sizeof *round);
    assert_non_null(round);
    pthread_mutex_init(&round->lock, NULL);
    pthread_cond_init(&round->changed, NULL);
    struct validators *validators = test_validators(options);
    start_all(validators, table, type, slow, round);
    wait_for_all(round);
    validators_drop(validators);
    for (size_t i = 0; i < table->count; i++)
        if (hostile_row(table, i)->slow == slow)
            compare(hostile_row(table, i), &round->targets[i], &failures);
    pthread_cond_destroy(&round->changed);
    pthread_mutex_destroy(&round->lock);
    free(round);
    assert_int_equal(failures, 0);
}
