/* admin WORD…: "caraway WORD…" for the running server. What it prints is ${output}, its status ${exit}; one that is not
 * zero is a refusal. */
#include "tests/scenarios/runner.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 32, OUTPUT_MAX = 8 << 20 };

static void run_command(const struct scenario *s, const char *const *arguments, int output)
{
    if (dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
        execv(s->caraway, (char *const *)arguments);
    _exit(127);
}

static bool read_output(int fd, struct buf *out)
{
    char block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0)
        buf_append(out, block, (size_t)got);
    return got == 0 && !out->failed;
}

static bool run(struct scenario *s, const char *const *arguments, struct buf *output, int *out_status)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(s, "no pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_command(s, arguments, ends[1]);
    close(ends[1]);
    bool whole = read_output(ends[0], output);
    close(ends[0]);
    if (child < 0 || waitpid(child, out_status, 0) != child || !whole)
        return fail(s, "the command cannot be run, or prints too much");
    return WIFEXITED(*out_status) || fail(s, "the command ended by a signal");
}

bool play_admin(struct scenario *s, words w, size_t count)
{
    const char *arguments[ARGUMENTS_MAX + 1] = { "caraway" };
    AUTO_BUF(output, OUTPUT_MAX);
    int status = 0;
    if (count > ARGUMENTS_MAX - 3)
        return fail(s, "too many words");
    memcpy(&arguments[1], w, count * sizeof *w);
    arguments[count + 1] = "--data";
    arguments[count + 2] = arena_printf(s->arena, "%s/data", s->folder);
    TRY(arguments[count + 2] != NULL && run(s, arguments, &output, &status));
    if (s->verbose)
        printf("%s", buf_str(&output));
    s->refused = WEXITSTATUS(status) != 0;
    return variable_set(s, "output", buf_str(&output)) &&
           variable_set(s, "exit", arena_printf(s->arena, "%d", WEXITSTATUS(status)));
}

/* clock advance|set|reset: as the command, and from here on ${now} and `verify` go by it. */
bool play_clock(struct scenario *s, words w, size_t count)
{
    const char *command[] = { "clock", w[0], count > 1 ? w[1] : "--json", "--json", NULL };
    AUTO_BUF(offset, 32);
    TRY(play_admin(s, (char **)command, count + 2));
    if (s->refused || !variable_get(s, "output.offset_ms", &offset))
        return fail(s, "the clock cannot be moved so");
    s->offset_ms = strtoll(buf_str(&offset), NULL, 10);
    return true;
}
