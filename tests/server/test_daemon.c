/* The program from outside: its start, its first screen, whom it tells, and its end. */
#include "base/buf.h"
#include "tests/folder.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 1 << 20, ARGUMENTS_MAX = 16, PATIENCE_MS = 60000 };

struct fixture {
    char directory[64], data[80], notify[80];
    int notify_fd;
};

struct program {
    pid_t pid;
    int output, ready; /* read ends: standard output and error together, and --ready-fd */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/caraway-daemon-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->data, sizeof f->data, "%s/data", f->directory);
    snprintf(f->notify, sizeof f->notify, "%s/notify", f->directory);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, f->notify, strlen(f->notify));
    f->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->notify_fd, (struct sockaddr *)&address, sizeof address), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close(f->notify_fd);
    folder_remove(f->directory);
    free(f);
    return 0;
}

/* Starts "caraway --data DATA --listen 127.0.0.1:0 WORDS…" with everything else at rest. */
static struct program start(const struct fixture *f, const char *const *words)
{
    int output[2], ready[2];
    char ready_text[16];
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    struct program program = { .pid = fork(), .output = output[0], .ready = ready[0] };
    assert_true(program.pid >= 0);
    if (program.pid > 0) {
        close(output[1]);
        close(ready[1]);
        return program;
    }
    fcntl(ready[1], F_SETFD, 0);
    snprintf(ready_text, sizeof ready_text, "%d", ready[1]);
    const char *arguments[ARGUMENTS_MAX] = { "caraway",    "--data",   f->data, "--listen",          "127.0.0.1:0",
                                             "--ready-fd", ready_text, "--set", "management.listen=" };
    for (size_t i = 9; words != NULL && *words != NULL && i < ARGUMENTS_MAX - 1; i++)
        arguments[i] = *words++;
    dup2(output[1], STDOUT_FILENO);
    dup2(output[1], STDERR_FILENO);
    setenv("NOTIFY_SOCKET", f->notify, 1);
    execv(CARAWAY_BINARY, (char *const *)arguments);
    _exit(127);
}

static void await_ready(const struct program *program)
{
    char line[8] = "";
    struct pollfd poll_fd = { .fd = program->ready, .events = POLLIN };
    assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
    assert_int_equal(read(program->ready, line, sizeof line - 1), 6);
    assert_string_equal(line, "ready\n");
}

/* The exit status, and everything that was printed. */
static int finish(struct program *program, struct buf *out)
{
    char block[4096];
    int status = 0;
    for (ssize_t got; (got = read(program->output, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    close(program->output);
    close(program->ready);
    assert_true(WIFEXITED(status) || WIFSIGNALED(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void assert_says(const struct buf *out, const char *text)
{
    if (strstr(buf_str(out), text) == NULL)
        fail_msg("\"%s\" is missing in: %s", text, buf_str(out));
}

static void assert_notified(const struct fixture *f, const char *text)
{
    char got[64] = "";
    struct pollfd poll_fd = { .fd = f->notify_fd, .events = POLLIN };
    assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
    assert_true(read(f->notify_fd, got, sizeof got - 1) > 0);
    assert_string_equal(got, text);
}

static void it_serves_until_it_is_told_to_stop(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        AUTO_BUF(out, OUTPUT_MAX);
        struct program program = start(*state, NULL);
        await_ready(&program);
        kill(program.pid, signals[i]);
        assert_int_equal(finish(&program, &out), 0);
        assert_says(&out, "\nListening on: 127.0.0.1:");
        assert_says(&out, "/directory\n");
        assert_says(&out, "/data/ca/root.pem");
        assert_says(&out, "REQUESTS_CA_BUNDLE=/");
        assert_says(&out, "\"event\":\"server.stopped\"");
    }
}

static void the_service_manager_hears_of_it(void **state)
{
    AUTO_BUF(out, OUTPUT_MAX);
    struct program program = start(*state, NULL);
    assert_notified(*state, "READY=1");
    kill(program.pid, SIGTERM);
    assert_notified(*state, "STOPPING=1");
    assert_int_equal(finish(&program, &out), 0);
}

static void one_data_directory_has_one_server(void **state)
{
    AUTO_BUF(out, OUTPUT_MAX);
    AUTO_BUF(unused, OUTPUT_MAX);
    struct program first = start(*state, NULL);
    await_ready(&first);
    struct program second = start(*state, NULL);
    assert_int_equal(finish(&second, &out), 1);
    assert_says(&out, "caraway: another caraway has the data directory ");
    kill(first.pid, SIGTERM);
    assert_int_equal(finish(&first, &unused), 0);
}

static void read_root(const struct fixture *f, char out[static 4096])
{
    char path[128];
    snprintf(path, sizeof path, "%s/ca/root.pem", f->data);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    out[fread(out, 1, 4095, file)] = '\0';
    fclose(file);
}

static void a_killed_server_starts_again_with_the_same_root(void **state)
{
    char before[4096], after[4096];
    AUTO_BUF(out, OUTPUT_MAX);
    struct program program = start(*state, NULL);
    await_ready(&program);
    read_root(*state, before);
    kill(program.pid, SIGKILL);
    assert_int_equal(finish(&program, &out), 128 + SIGKILL);
    struct program again = start(*state, NULL);
    await_ready(&again);
    read_root(*state, after);
    kill(again.pid, SIGTERM);
    assert_int_equal(finish(&again, &out), 0);
    assert_string_equal(before, after);
}

static void the_data_directory_is_for_its_owner(void **state)
{
    const struct fixture *f = *state;
    AUTO_BUF(out, OUTPUT_MAX);
    struct program program = start(f, (const char *const[]) { "init", NULL });
    assert_int_equal(finish(&program, &out), 0);
    assert_says(&out, "/ca/root.pem\n");
    struct stat found;
    assert_int_equal(stat(f->data, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
}

static void mistakes_are_explained(void **state)
{
    static const struct {
        const char *words[4];
        int status;
        const char *says;
    } cases[] = {
        { { "serv" }, 2, "caraway: unknown command \"serv\"; did you mean \"serve\"?\n" },
        { { "--lisen", "x" }, 2, "caraway: unknown flag \"--lisen\"; did you mean \"--listen\"?\n" },
        { { "--lisen=x" }, 2, "caraway: unknown flag \"--lisen\"; did you mean \"--listen\"?\n" },
        { { "--config" }, 2, "caraway: --config takes FILE\n" },
        { { "--help=x" }, 2, "caraway: --help takes no value\n" },
        { { "--listen", "a:1" }, 2, "caraway: --listen stands twice; a list is written with commas\n" },
        { { "--set", "x" }, 2, "caraway: --set takes NAME=VALUE, not \"x\"\n" },
        { { "--set", "web.thread=1" },
          1,
          "caraway: --set: unknown setting \"web.thread\"; did you mean \"web.threads\"?\n" },
        { { "--ready-fd", "999" },
          2,
          "caraway: --ready-fd takes the number of an open descriptor, and \"999\" is none\n" },
        { { "serve", "now" }, 1, "caraway: \"now\" is one word too many; see caraway help\n" },
        { { "config", "chek" }, 1, "did you mean check?\n" },
        { { "config", "check", "--set=dns.server=x" }, 1, "is not the address of a DNS server" },
        { { "--set", "listen=127.0.0.1:0,"
                     "192.0.2.1:0" },
          1,
          "caraway: cannot listen on 192.0.2.1:0" },
        { { "--set", "listen-proxied=127.0.0.1:0" },
          1,
          "caraway: listen-proxied needs trusted-proxies, who alone may connect there\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO_BUF(out, OUTPUT_MAX);
        struct program program = start(*state, cases[i].words);
        assert_int_equal(finish(&program, &out), cases[i].status);
        assert_says(&out, cases[i].says);
    }
}

static void help_and_settings_are_printed(void **state)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        { { "--help" }, "usage: caraway [COMMAND] [FLAG...]\n" },
        { { "help" }, "--ready-fd N" },
        { { "--version" }, "caraway " CARAWAY_VERSION "\n" },
        { { "version" }, "caraway " CARAWAY_VERSION "\n" },
        { { "config" }, "listen: [\"127.0.0.1:0\"] # --listen\n" },
        { { "config", "check" }, "The settings are right.\n" },
        { { "config", "reference" }, "# Settings\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO_BUF(out, OUTPUT_MAX);
        struct program program = start(*state, cases[i].words);
        assert_int_equal(finish(&program, &out), 0);
        assert_says(&out, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_serves_until_it_is_told_to_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_service_manager_hears_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_data_directory_has_one_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_server_starts_again_with_the_same_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_data_directory_is_for_its_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(help_and_settings_are_printed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
