/* The daemon under test: started with a data directory and ports of its own, stopped, killed. */
#include "tests/scenarios/runner.h"

#include "base/world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-client/file.h"

enum { ARGUMENTS_MAX = 64, LOG_MAX = 32 << 20, LOG_POLL_MS = 10 };

struct arguments {
    const char *list[ARGUMENTS_MAX + 1];
    size_t count;
};

static void log_path(const struct scenario *s, char out[static 256])
{
    snprintf(out, 256, "%s/log", s->folder);
}

static bool read_log(struct scenario *s, struct buf *out)
{
    char path[256], why[TC_WHY_SIZE];
    log_path(s, path);
    return tc_file_read(path, out, why) || fail(s, "%s", why);
}

static bool is_set(const char *const *settings, const char *name)
{
    size_t len = strlen(name);
    for (; *settings != NULL; settings++) {
        if (strncmp(*settings, name, len) == 0 && (*settings)[len] == '=')
            return true;
    }
    return false;
}

static bool add_argument(struct scenario *s, struct arguments *arguments, const char *text)
{
    if (text == NULL || arguments->count == ARGUMENTS_MAX)
        return fail(s, "too many settings, or memory is out");
    arguments->list[arguments->count++] = text;
    return true;
}

static bool add_setting(struct scenario *s, struct arguments *arguments, const char *text)
{
    return add_argument(s, arguments, "--set") && add_argument(s, arguments, text);
}

/* What the script says of a setting goes before what is usual here. */
static bool add_usual(struct scenario *s, struct arguments *arguments, const char *const *settings)
{
    struct arena *arena = s->arena;
    const struct tc_responder *responder = s->responder;
    const struct {
        const char *name, *value;
    } usual[] = {
        { "data", arena_printf(arena, "%s/data", s->folder) },
        { "listen", arena_printf(arena, "127.0.0.1:%d", s->daemon.port) },
        { "management.listen", "" },
        { "validation.http-port", arena_printf(arena, "%d", tc_responder_port(responder, CHALLENGE_HTTP_01)) },
        { "validation.tls-port", arena_printf(arena, "%d", tc_responder_port(responder, CHALLENGE_TLS_ALPN_01)) },
        { "dns.server", arena_printf(arena, "127.0.0.1:%d", tc_responder_port(responder, CHALLENGE_DNS_01)) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
        if (!is_set(settings, usual[i].name))
            TRY(add_setting(s, arguments, arena_printf(arena, "%s=%s", usual[i].name, usual[i].value)));
    }
    return true;
}

/* In the child: the daemon dies with us, whatever kills us. */
static void run_daemon(const struct scenario *s, struct arguments *arguments, int ready)
{
    char path[256];
    log_path(s, path);
    struct rlimit files = { s->daemon.files, s->daemon.files };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (files.rlim_cur != 0 && setrlimit(RLIMIT_NOFILE, &files) != 0)
        _exit(127);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    fcntl(ready, F_SETFD, 0);
    if (log >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
        execv(s->caraway, (char *const *)arguments->list);
    _exit(127);
}

static bool await_ready(struct scenario *s, int ready)
{
    char line[8] = "";
    struct pollfd poll_fd = { .fd = ready, .events = POLLIN };
    return (poll(&poll_fd, 1, PATIENCE_MS) == 1 && read(ready, line, 6) == 6 && strcmp(line, "ready\n") == 0) ||
           fail(s, "the server did not start");
}

static bool learn_port(struct scenario *s)
{
    static const char line[] = "Listening on: 127.0.0.1:";
    AUTO_BUF(log, LOG_MAX);
    TRY(s->daemon.port == 0 && read_log(s, &log));
    const char *found = strstr(buf_str(&log), line);
    s->daemon.port = found != NULL ? (int)strtol(found + sizeof line - 1, NULL, 10) : 0;
    return s->daemon.port != 0 || fail(s, "the server does not say where it listens");
}

/* Takes the last address off the list. */
static bool take_port(struct scenario *s, char *addresses, const char *variable)
{
    char *colon = strrchr(addresses, ':'), *comma = strrchr(addresses, ',');
    TRY(colon != NULL && variable_setf(s, colon + 1, "%s", variable));
    *(comma != NULL ? comma : addresses) = '\0';
    return true;
}

/* The listeners that settings ask for come last. */
static bool learn_more_ports(struct scenario *s, const char *const *settings)
{
    AUTO_BUF(log, LOG_MAX);
    TRY(read_log(s, &log));
    const char *line = buf_str(&log);
    for (const char *next; (next = strstr(line, "Listening on: ")) != NULL;)
        line = next + 1;
    char *addresses = arena_text_of(s->arena, bytes_of(line, strcspn(line, "\n")));
    TRY(!is_set(settings, "listen-proxied") || take_port(s, addresses, "port.proxied"));
    return !is_set(settings, "listen-plain") || take_port(s, addresses, "port.plain");
}

static bool set_directory(struct scenario *s)
{
    const struct tc_directory *directory = tc_session_directory(s->visitor);
    const char *base = arena_printf(s->arena, "https://127.0.0.1:%d", s->daemon.port);
    TRY(base != NULL && variable_set(s, "base", base));
    TRY(variable_setf(s, arena_printf(s->arena, "%s/directory", base), "index"));
    TRY(variable_setf(s, arena_printf(s->arena, "%d", s->daemon.port), "port.server"));
#define X(member, text, required)                                                                                      \
    if (directory->member != NULL)                                                                                     \
        TRY(variable_set(s, "dir." text, directory->member));
    TC_DIRECTORY_TABLE(X)
#undef X
    return true;
}

/* A server that has started again knows none of the nonces it gave before. */
static bool forget_nonces(struct scenario *s)
{
    char nonce[TC_NONCE_MAX + 1], why[TC_WHY_SIZE];
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (s->clients[i].session != NULL && !tc_session_take_nonce(s->clients[i].session, nonce, why))
            return fail(s, "%s", why);
    }
    return true;
}

static bool spawn(struct scenario *s, struct arguments *arguments)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0)
        return fail(s, "no pipe");
    TRY(add_argument(s, arguments, "--ready-fd"));
    TRY(add_argument(s, arguments, arena_printf(s->arena, "%d", ready[1])));
    fflush(stdout);
    s->daemon.pid = fork();
    if (s->daemon.pid == 0)
        run_daemon(s, arguments, ready[1]);
    close(ready[1]);
    s->daemon.pidfd = s->daemon.pid > 0 ? pidfd_open(s->daemon.pid, 0) : -1;
    bool started = (s->daemon.pidfd >= 0 || fail(s, "no process")) && await_ready(s, ready[0]);
    close(ready[0]);
    return started;
}

static bool server_start(struct scenario *s, words settings)
{
    struct arguments arguments = { .list = { "caraway" }, .count = 1 };
    const char *const *given = (const char *const *)settings;
    if (s->daemon.pid != 0)
        return fail(s, "the server runs already");
    s->offset_ms = 0; /* dies with the process */
    TRY(add_usual(s, &arguments, given));
    for (; *settings != NULL; settings++)
        TRY(add_setting(s, &arguments, arena_text(s->arena, *settings)));
    TRY(spawn(s, &arguments));
    TRY((s->daemon.port != 0 || learn_port(s)) && learn_more_ports(s, given));
    tc_session_drop(TAKE(s->visitor));
    return client_open_session(s, &s->visitor) && set_directory(s) && forget_nonces(s);
}

static int reap(struct daemon *daemon)
{
    int status = 0;
    waitpid(daemon->pid, &status, 0);
    close(daemon->pidfd);
    daemon->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void daemon_kill(struct scenario *s)
{
    if (s->daemon.pid <= 0)
        return;
    kill(s->daemon.pid, SIGKILL);
    reap(&s->daemon);
}

bool daemon_stop(struct scenario *s)
{
    if (s->daemon.pid <= 0)
        return true;
    struct pollfd poll_fd = { .fd = s->daemon.pidfd, .events = POLLIN };
    kill(s->daemon.pid, SIGTERM);
    if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
        return fail(s, "the server does not stop");
    int status = reap(&s->daemon);
    return status == 0 || fail(s, "the server ended with status %d", status);
}

bool daemon_was_sane(struct scenario *s)
{
    AUTO_BUF(log, LOG_MAX);
    if (s->daemon.port == 0)
        return true;
    return read_log(s, &log) &&
           ((strstr(buf_str(&log), "Sanitizer") == NULL && strstr(buf_str(&log), "runtime error") == NULL) ||
            fail(s, "a sanitizer has found something in the server"));
}

bool play_server(struct scenario *s, words w, size_t count)
{
    static char *none[] = { NULL };
    if (strcmp(w[0], "start") == 0)
        return server_start(s, w + 1);
    if (strcmp(w[0], "restart") == 0)
        return daemon_stop(s) && server_start(s, count > 1 ? w + 1 : none);
    if (strcmp(w[0], "stop") == 0)
        return daemon_stop(s);
    if (strcmp(w[0], "end") == 0)
        return kill(s->daemon.pid, SIGTERM) == 0;
    if (strcmp(w[0], "kill") != 0)
        return fail(s, "server start, restart, end, stop or kill");
    daemon_kill(s);
    return true;
}

/* log ~ TEXT: waits until the server's log holds it. log !~ TEXT: it does not. */
bool play_log(struct scenario *s, words w, size_t count)
{
    (void)count;
    bool wanted = strcmp(w[0], "~") == 0;
    int64_t deadline = monotonic_ms() + PATIENCE_MS;
    for (;;) {
        AUTO_BUF(log, LOG_MAX);
        TRY(read_log(s, &log));
        bool found = strstr(buf_str(&log), w[1]) != NULL;
        if (found == wanted)
            return true;
        if (!wanted || monotonic_ms() > deadline)
            return fail(s, "the server's log %s \"%s\"", wanted ? "lacks" : "has", w[1]);
        loop_run_for(s, LOG_POLL_MS);
    }
}

bool play_files(struct scenario *s, words w, size_t count)
{
    (void)count;
    s->daemon.files = strtoul(w[0], NULL, 10);
    return s->daemon.files > 0 || fail(s, "files NUMBER");
}
