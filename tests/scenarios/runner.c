/* caraway-scenario: plays one script. The script is played by a child, so that whatever becomes of it, the daemon ends
 * and the temporary folder goes; when it fails, the daemon's log is shown. */
#include "tests/folder.h"
#include "tests/scenarios/runner.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_MAX = 256 << 20, VARIABLES_MAX = 100000, NONCES_MAX = 1000000, PLAY_MAX_S = 300, LOG_LINES_BYTES = 32768 };

/* ---- the child */

static bool open_scenario(struct scenario *s)
{
    char why[TC_RESPONDER_WHY_SIZE];
    struct tc_responder_options ports = { TC_RESPONDER_ANY_PORT, TC_RESPONDER_ANY_PORT, TC_RESPONDER_ANY_PORT, NULL };
    s->last = TC_ANSWER_INIT;
    s->arena = arena_create(ARENA_MAX);
    s->variables = text_map_create(VARIABLES_MAX, free);
    s->nonces = text_map_create(NONCES_MAX, NULL);
    if (s->arena == NULL || s->variables == NULL || s->nonces == NULL || uv_loop_init(&s->loop) != 0)
        return fail(s, "out of memory");
    if (!tc_responder_start(&s->loop, &ports, &s->responder, why))
        return fail(s, "%s", why);
    for (unsigned type = 0; type < CHALLENGE_TYPES; type++)
        TRY(variable_setf(s, arena_printf(s->arena, "%d", tc_responder_port(s->responder, type)), "port.%s",
                          challenge_type_text(type)));
    return true;
}

static void close_scenario(struct scenario *s)
{
    daemon_kill(s);
    clients_clear(s);
    keys_clear(s);
    edge_clear(s);
    receivers_clear(s);
    if (s->responder != NULL) {
        tc_responder_drop(s->responder);
        uv_run(&s->loop, UV_RUN_DEFAULT);
        uv_loop_close(&s->loop);
    }
    tc_answer_free(&s->last);
    text_map_drop(s->variables);
    text_map_drop(s->nonces);
    arena_drop(s->arena);
}

static int play(const struct scenario *plan)
{
    struct scenario *s = calloc(1, sizeof *s);
    if (s == NULL)
        return EXIT_FAILURE;
    *s = *plan;
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool good = open_scenario(s) && scenario_play(s);
    close_scenario(s);
    curl_global_cleanup();
    free(s);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the parent */

static void show_log(const char *folder)
{
    char path[256], block[4096];
    snprintf(path, sizeof path, "%s/log", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    if (fseek(file, -LOG_LINES_BYTES, SEEK_END) != 0)
        rewind(file);
    puts("---- the server's log");
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        fwrite(block, 1, got, stdout);
    fclose(file);
}

/* The child's exit status; nonzero when it did not come to its end in time or we were told to stop. */
static int supervise(pid_t child, const sigset_t *signals)
{
    int status = 0;
    struct timespec limit = { .tv_sec = PLAY_MAX_S };
    if (sigtimedwait(signals, NULL, &limit) != SIGCHLD) {
        puts("the scenario took too long or was interrupted");
        kill(child, SIGKILL);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(struct scenario *plan)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &before);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        exit(play(plan));
    }
    int status = child > 0 ? supervise(child, &signals) : EXIT_FAILURE;
    if (status != 0)
        show_log(plan->folder);
    return status;
}

int main(int argc, char **argv)
{
    char folder[128];
    const char *temporary = getenv("TMPDIR");
    struct scenario plan = { .folder = folder };
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    if (argc - verbose != 3) {
        fputs("usage: caraway-scenario [-v] CARAWAY SCRIPT\n", stderr);
        return 2;
    }
    plan.verbose = verbose;
    plan.caraway = argv[1 + verbose];
    plan.script = argv[2 + verbose];
    snprintf(folder, sizeof folder, "%s/caraway-scenario-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return EXIT_FAILURE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int status = run(&plan);
    folder_remove(folder);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
