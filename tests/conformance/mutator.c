/* mutator --list | mutator LISTEN-PORT UPSTREAM-PORT NAME: a proxy for plain HTTP on 127.0.0.1 that damages a server's
 * answers as one row of mutations.h says, to see whether the conformance suite notices. Serves until it is killed; each
 * connection has a process of its own. */
#include "tests/conformance/mutations.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_MAX = 8 << 20, CHUNK = 65536 };

/* A message as it came: head with its empty line, then the body. */
struct message {
    struct buf bytes;
    size_t head_len;
};

static bool read_more(int fd, struct buf *bytes)
{
    char chunk[CHUNK];
    ssize_t len = read(fd, chunk, sizeof chunk);
    if (len > 0)
        buf_append(bytes, chunk, (size_t)len);
    return len > 0 && !bytes->failed;
}

static size_t content_length(const char *head, size_t len)
{
    static const char name[] = "\ncontent-length:";
    for (const char *at = head; at + sizeof name < head + len; at++) {
        if (strncasecmp(at, name, sizeof name - 1) == 0)
            return strtoul(at + sizeof name - 1, NULL, 10);
    }
    return 0;
}

static bool read_message(int fd, bool without_body, struct message *out)
{
    const char *end;
    buf_clear(&out->bytes);
    while ((end = strstr(buf_str(&out->bytes), "\r\n\r\n")) == NULL)
        TRY(read_more(fd, &out->bytes));
    out->head_len = (size_t)(end - buf_str(&out->bytes)) + 4;
    size_t whole = out->head_len + (without_body ? 0 : content_length(buf_str(&out->bytes), out->head_len));
    while (out->bytes.len < whole)
        TRY(read_more(fd, &out->bytes));
    return true;
}

static bool write_all(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t len = write(fd, bytes.data, bytes.len);
        TRY(len > 0);
        bytes = bytes_of(bytes.data + len, bytes.len - (size_t)len);
    }
    return true;
}

static int status_of(const struct message *answer)
{
    const char *space = strchr(buf_str(&answer->bytes), ' ');
    return space != NULL ? (int)strtol(space, NULL, 10) : 0;
}

static bool fits(const struct mutation *mutation, const struct message *request, const struct message *answer)
{
    const char *line = buf_str(&request->bytes);
    size_t method_len = strcspn(line, " ");
    const char *path = line + method_len + 1;
    const char *found = mutation->path != NULL ? strstr(path, mutation->path) : path;
    if (mutation->method != NULL &&
        (strlen(mutation->method) != method_len || strncmp(line, mutation->method, method_len) != 0))
        return false;
    if (found == NULL || found > path + strcspn(path, " "))
        return false;
    if (mutation->status != 0 && mutation->status != status_of(answer))
        return false;
    return mutation->having == NULL || strstr(buf_str(&answer->bytes) + answer->head_len, mutation->having) != NULL;
}

static bool is_header(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
}

/* Copies the headers but those that change, and puts the new ones behind them. */
static void write_head(const struct mutation *mutation, const struct message *answer, const char *status,
                       size_t body_len, bool without_body, struct buf *out)
{
    const char *at = buf_str(&answer->bytes), *end = at + answer->head_len - 2;
    bool drops = mutation->kind == DROP_HEADER || mutation->kind == SET_HEADER;
    for (bool first = true; at < end; first = false) {
        size_t len = strcspn(at, "\n") + 1;
        if (first && status != NULL)
            buf_printf(out, "HTTP/1.1 %s\r\n", status);
        else if ((!drops || !is_header(at, mutation->what)) && !is_header(at, "Content-Length"))
            buf_append(out, at, len);
        at += len;
    }
    if (mutation->kind == SET_HEADER)
        buf_printf(out, "%s: %s\r\n", mutation->what, mutation->with);
    if (!without_body)
        buf_printf(out, "Content-Length: %zu\r\n", body_len);
    buf_text(out, "\r\n");
}

static void rename_all(const char *body, const char *what, const char *with, struct buf *out)
{
    for (const char *found; (found = strstr(body, what)) != NULL; body = found + strlen(what)) {
        buf_append(out, body, (size_t)(found - body));
        buf_text(out, with);
    }
    buf_text(out, body);
}

static void mutate(const struct mutation *mutation, const struct message *answer, bool without_body, struct buf *out)
{
    AUTO_BUF(body, MESSAGE_MAX);
    const char *old = buf_str(&answer->bytes) + answer->head_len;
    const char *status = mutation->kind == SET_STATUS ? mutation->with : mutation->kind == SUCCEED ? "200 OK" : NULL;
    if (mutation->kind == IN_FRONT)
        buf_printf(&body, "%s%s", mutation->with, old);
    else if (mutation->kind == SUCCEED)
        buf_text(&body, mutation->with);
    else if (mutation->kind == RENAME)
        rename_all(old, mutation->what, mutation->with, &body);
    else
        buf_text(&body, old);
    bool empty = without_body || (status != NULL && strncmp(status, "204", 3) == 0);
    write_head(mutation, answer, status, body.len, empty, out);
    if (!empty)
        buf_append(out, body.data, body.len);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static void serve(int client, int server, const struct mutation *mutation)
{
    struct message request = { .bytes = BUF_INIT(MESSAGE_MAX) }, answer = { .bytes = BUF_INIT(MESSAGE_MAX) };
    AUTO_BUF(damaged, MESSAGE_MAX);
    while (read_message(client, false, &request) && write_all(server, buf_bytes(&request.bytes))) {
        bool without_body = strncmp(buf_str(&request.bytes), "HEAD ", 5) == 0;
        if (!read_message(server, without_body, &answer))
            break;
        buf_clear(&damaged);
        if (mutation->kind != NOTHING && fits(mutation, &request, &answer))
            mutate(mutation, &answer, without_body || status_of(&answer) == 204, &damaged);
        else
            buf_append(&damaged, answer.bytes.data, answer.bytes.len);
        if (damaged.failed || !write_all(client, buf_bytes(&damaged)))
            break;
    }
    buf_free(&request.bytes);
    buf_free(&answer.bytes);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

static int run_proxy(uint16_t port, uint16_t upstream, const struct mutation *mutation)
{
    int listener = listen_on(port);
    if (listener < 0) {
        perror("mutator: cannot listen");
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            return 1;
        if (fork() == 0) {
            int server = connect_to(upstream);
            if (server >= 0)
                serve(client, server, mutation);
            _exit(0);
        }
        close(client);
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
        if (list)
            printf("%s %s\n", mutations[i].name, mutations[i].checks);
        else if (argc == 4 && strcmp(mutations[i].name, argv[3]) == 0)
            return run_proxy((uint16_t)strtoul(argv[1], NULL, 10), (uint16_t)strtoul(argv[2], NULL, 10), &mutations[i]);
    }
    if (!list)
        fputs("usage: mutator --list | mutator LISTEN-PORT UPSTREAM-PORT NAME\n", stderr);
    return list ? 0 : 2;
}
