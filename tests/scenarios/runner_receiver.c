/* receiver NAME start|stop|answer|next|quiet: a service of the operator's, for webhooks and approvals. It runs on a
 * thread of its own, for the runner waits for the server while the server waits for it. */
#include "tests/scenarios/runner.h"

#include "base/crypto.h"
#include "base/world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 1 << 20, KEPT_MAX = 4096, HELD_MAX = 64, WAIT_MS = 10, STATUS_HANG = 0, READ_TIMEOUT_S = 10 };

#define SECRET        "the scenarios' own secret"
#define SECRET_BASE64 "dGhlIHNjZW5hcmlvcycgb3duIHNlY3JldA=="

struct receiver {
    char name[NAME_MAX_BYTES];
    int fd, port;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* guards the rest */
    int status;           /* STATUS_HANG: no answer comes */
    char *body;
    char *kept[KEPT_MAX]; /* whole requests */
    size_t first, count;
    int held[HELD_MAX];
    size_t held_count;
};

/* ---- the thread */

static size_t body_bytes(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line != NULL ? strtoul(line + sizeof "\r\nContent-Length:" - 1, NULL, 10) : 0;
}

static bool read_request(int fd, struct buf *out)
{
    for (;;) {
        char block[4096];
        const char *end = strstr(buf_str(out), "\r\n\r\n");
        if (end != NULL && out->len >= (size_t)(end - out->data) + 4 + body_bytes(out->data))
            return true;
        ssize_t got = recv(fd, block, sizeof block, 0);
        TRY(got > 0);
        buf_append(out, block, (size_t)got);
        TRY(!out->failed);
    }
}

static void send_answer(struct receiver *r, int fd)
{
    AUTO_BUF(answer, REQUEST_MAX);
    if (r->status / 100 == 3)
        buf_printf(&answer, "HTTP/1.1 %d Status\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", r->status, r->body);
    else
        buf_printf(&answer, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", r->status,
                   strlen(r->body), r->body);
    (void)!send(fd, answer.data, answer.len, MSG_NOSIGNAL);
    close(fd);
}

static void take(struct receiver *r, int fd)
{
    struct timeval patience = { .tv_sec = READ_TIMEOUT_S };
    AUTO_BUF(request, REQUEST_MAX);
    size_t unused;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!read_request(fd, &request)) {
        close(fd);
        return;
    }
    pthread_mutex_lock(&r->lock);
    if (r->count < KEPT_MAX)
        r->kept[r->count++] = buf_take(&request, &unused);
    if (r->status == STATUS_HANG && r->held_count < HELD_MAX)
        r->held[r->held_count++] = fd;
    else
        send_answer(r, fd);
    pthread_mutex_unlock(&r->lock);
}

static void *run(void *arg)
{
    struct receiver *r = arg;
    for (int fd; (fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        take(r, fd);
    return NULL;
}

/* ---- start, stop */

static struct receiver *receiver_find(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        if (s->receivers[i] == NULL) {
            struct receiver *r = s->receivers[i] = calloc(1, sizeof *r);
            if (r == NULL)
                break;
            snprintf(r->name, sizeof r->name, "%s", name);
            pthread_mutex_init(&r->lock, NULL);
            r->status = 200;
            r->body = strdup("");
            return r;
        }
        if (strcmp(s->receivers[i]->name, name) == 0)
            return s->receivers[i];
    }
    fail(s, "too many receivers");
    return NULL;
}

static bool write_secret(struct scenario *s, const char *name)
{
    const char *path = arena_printf(s->arena, "%s/secret", s->folder);
    FILE *file = path != NULL ? fopen(path, "we") : NULL;
    bool good = file != NULL && fputs("whsec_" SECRET_BASE64 "\n", file) >= 0;
    if (file != NULL)
        good &= fclose(file) == 0;
    return (good && variable_setf(s, path, "%s.secret-file", name)) || fail(s, "the secret cannot be written");
}

static bool start(struct scenario *s, struct receiver *r)
{
    int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)r->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(r->fd, (struct sockaddr *)&address, len) != 0 || listen(r->fd, 64) != 0 ||
        getsockname(r->fd, (struct sockaddr *)&address, &len) != 0)
        return fail(s, "no port for a receiver");
    r->port = ntohs(address.sin_port);
    r->running = pthread_create(&r->thread, NULL, run, r) == 0;
    return r->running && write_secret(s, r->name) &&
           variable_setf(s, arena_printf(s->arena, "%d", r->port), "%s.port", r->name) &&
           variable_setf(s, arena_printf(s->arena, "http://127.0.0.1:%d/hook", r->port), "%s.url", r->name);
}

static bool stop(struct receiver *r)
{
    if (!r->running)
        return true;
    shutdown(r->fd, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    close(r->fd);
    r->running = false;
    while (r->held_count > 0)
        close(r->held[--r->held_count]);
    return true;
}

void receivers_clear(struct scenario *s)
{
    for (size_t i = 0; i < RECEIVERS_MAX && s->receivers[i] != NULL; i++) {
        struct receiver *r = TAKE(s->receivers[i]);
        (void)stop(r);
        for (size_t k = r->first; k < r->count; k++)
            free(r->kept[k]);
        pthread_mutex_destroy(&r->lock);
        free(r->body);
        free(r);
    }
}

/* ---- what came */

static bool header_of(const char *request, const char *name, struct buf *out)
{
    AUTO_BUF(start_of_line, 100);
    buf_printf(&start_of_line, "\r\n%s: ", name);
    const char *line = strcasestr(request, buf_str(&start_of_line));
    TRY(line != NULL);
    line += start_of_line.len;
    buf_append(out, line, strcspn(line, "\r"));
    return true;
}

/* The signature, made anew by other means than the server's. */
static bool check_signature(struct scenario *s, const char *request, const char *body)
{
    AUTO_BUF(id, 200);
    AUTO_BUF(seconds, 200);
    AUTO_BUF(signature, 200);
    AUTO_BUF(text, REQUEST_MAX);
    uint8_t mac[SHA256_BYTES];
    unsigned char expected[2 * SHA256_BYTES];
    if (!header_of(request, "webhook-id", &id) || !header_of(request, "webhook-timestamp", &seconds) ||
        !header_of(request, "webhook-signature", &signature))
        return fail(s, "the request is not signed: %s", request);
    buf_printf(&text, "%s.%s.%s", buf_str(&id), buf_str(&seconds), body);
    crypto_hmac_sha256(bytes_text(SECRET), buf_bytes(&text), mac);
    EVP_EncodeBlock(expected, mac, sizeof mac);
    if (strncmp(buf_str(&signature), "v1,", 3) != 0 || strcmp(buf_str(&signature) + 3, (char *)expected) != 0)
        return fail(s, "the signature is wrong: %s", request);
    long long now_s = (world_now_ms(world_real()) + s->offset_ms) / 1000;
    if (llabs(strtoll(buf_str(&seconds), NULL, 10) - now_s) > PATIENCE_MS / 1000)
        return fail(s, "the timestamp is not that of the server's clock");
    return variable_set(s, "receiver.id", buf_str(&id));
}

static char *take_next(struct receiver *r)
{
    pthread_mutex_lock(&r->lock);
    char *request = r->first < r->count ? TAKE(r->kept[r->first]) : NULL;
    r->first += request != NULL;
    pthread_mutex_unlock(&r->lock);
    return request;
}

static bool next(struct scenario *s, struct receiver *r)
{
    int64_t deadline = monotonic_ms() + PATIENCE_MS;
    AUTO_TYPE(char) request = NULL;
    while ((request = take_next(r)) == NULL) {
        if (monotonic_ms() > deadline)
            return fail(s, "nothing comes to the receiver");
        loop_run_for(s, WAIT_MS);
    }
    const char *body = strstr(request, "\r\n\r\n") + 4;
    return check_signature(s, request, body) && variable_set(s, "output", body);
}

static bool answer_with(struct scenario *s, struct receiver *r, const char *status, const char *body)
{
    char *copy = strdup(body);
    if (copy == NULL)
        return fail(s, "out of memory");
    pthread_mutex_lock(&r->lock);
    r->status = (int)strtol(status, NULL, 10);
    free(r->body);
    r->body = copy;
    pthread_mutex_unlock(&r->lock);
    return true;
}

bool play_receiver(struct scenario *s, words w, size_t count)
{
    struct receiver *r = receiver_find(s, w[0]);
    TRY(r != NULL);
    if (strcmp(w[1], "start") == 0 && !r->running)
        return start(s, r);
    if (strcmp(w[1], "stop") == 0)
        return stop(r);
    if (strcmp(w[1], "next") == 0)
        return next(s, r);
    if (strcmp(w[1], "answer") == 0 && count > 2)
        return answer_with(s, r, w[2], count > 3 ? w[3] : "");
    if (strcmp(w[1], "quiet") == 0)
        return r->first == r->count || fail(s, "something came: %s", r->kept[r->first]);
    return fail(s, "receiver NAME start, stop, next, quiet, answer STATUS [BODY]");
}
