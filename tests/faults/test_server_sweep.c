/* Fails the Nth call that a running server makes while a client gets a certificate, for N = 1, 2, …: the server lives,
 * the next client gets its certificate without a restart, and in the end what was acknowledged is there. */
#include "tests/folder.h"
#include "tests/faults/preload.h"
#include "tests/unit.h"

#include "base/macros.h"
#include "base/world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each group has its time: the run is bounded. */
enum { GROUP_MS = 12000, COMMAND_MAX = 1024, PORT_BASE = 10000, PORT_RANGE = 20000 };
enum { LAST_CALLS = 6, NEVER = INT32_MAX, RECOVERY_MS = 20000 };

struct fixture {
    char directory[64];
    struct preload_plan *plan;
    pid_t server;
    int port; /* and the next one for http-01 */
};

static struct preload_plan *make_plan(void)
{
    int fd = open("plan", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, sizeof(struct preload_plan)), 0);
    void *plan = mmap(NULL, sizeof(struct preload_plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(plan != MAP_FAILED);
    close(fd);
    return plan;
}

static void exec_server(const struct fixture *f, const char *finalize, int ready)
{
    char listen[32], http_port[48], ready_text[16];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", f->port);
    snprintf(http_port, sizeof http_port, "validation.http-port=%d", f->port + 1);
    snprintf(ready_text, sizeof ready_text, "%d", ready);
    fcntl(ready, F_SETFD, 0);
    setenv("LD_PRELOAD", FAULT_PRELOAD, 1);
    setenv(PRELOAD_PLAN, "plan", 1);
    int log = open("server.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl(BIN "/caraway", "caraway", "--data", "data", "--listen", listen, "--set", "management.listen=", "--set",
          "limits.preset=off", "--set", http_port, "--set", finalize, "--ready-fd", ready_text, NULL);
    _exit(127);
}

static int start(void **state, const char *finalize)
{
    struct fixture *f = calloc(1, sizeof *f);
    int ready[2];
    char line[8] = "";
    uint16_t chance;
    snprintf(f->directory, sizeof f->directory, "/tmp/caraway-sweep-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_int_equal(chdir(f->directory), 0);
    world_random(world_real(), (uint8_t *)&chance, sizeof chance);
    f->port = PORT_BASE + chance % PORT_RANGE;
    f->plan = make_plan();
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    f->server = fork();
    if (f->server == 0)
        exec_server(f, finalize, ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], line, sizeof line - 1), 6);
    close(ready[0]);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return start(state, "finalize.mode=sync");
}

static int set_up_async(void **state)
{
    return start(state, "finalize.mode=async");
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->server > 0) {
        kill(f->server, SIGKILL);
        waitpid(f->server, NULL, 0);
    }
    munmap(f->plan, sizeof *f->plan);
    folder_remove(f->directory);
    free(f);
    return 0;
}

static bool get_certificate(const struct fixture *f, int patience_s)
{
    char command[COMMAND_MAX];
    snprintf(command, sizeof command,
             BIN "/caraway-client load --count 1 --directory https://127.0.0.1:%d/directory --ca-file data/tls/ca.pem "
                 "--http-port %d --patience %d --record acknowledged >client.log 2>&1",
             f->port, f->port + 1, patience_s);
    return system(command) == 0;
}

static void assert_alive(struct fixture *f, int call)
{
    int status;
    if (waitpid(f->server, &status, WNOHANG) == 0)
        return;
    f->server = 0;
    (void)!system("tail -n 5 server.log >&2");
    fail_msg("the server ended when call %d failed, with status %#x", call, (unsigned)status);
}

/* True when a call failed. */
static bool strike(struct fixture *f, enum preload_group group, int at)
{
    f->plan->calls = f->plan->struck = 0;
    f->plan->at = at;
    f->plan->group = (int)group;
    (void)get_certificate(f, 2);
    f->plan->group = PRELOAD_NOTHING;
    assert_alive(f, at);
    if (!get_certificate(f, 20)) {
        (void)!system("cat client.log >&2; tail -n 5 server.log >&2");
        fail_msg("no certificate behind the failure of call %d", at);
    }
    return f->plan->struck != 0;
}

static void assert_whole(struct fixture *f)
{
    int status;
    kill(f->server, SIGTERM);
    assert_int_equal(waitpid(f->server, &status, 0), f->server);
    f->server = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(system(BIN "/caraway check --data data >check.log"), 0);
    assert_int_equal(system(BIN "/caraway export --data data >export"), 0);
    assert_int_equal(system("awk -f " SOURCE "/acknowledged.awk export acknowledged"), 0);
}

/* Beyond the first `dense` calls only every stride-th fails. */
static void sweep(struct fixture *f, enum preload_group group, int dense, int stride)
{
    int64_t until_ms = monotonic_ms() + GROUP_MS;
    assert_true(get_certificate(f, 20));
    int at = 1, failed = 0;
    for (; monotonic_ms() < until_ms && strike(f, group, at); failed++)
        at += at < dense ? 1 : stride;
    print_message("           %d calls failed, up to the one with number %d\n", failed, at);
    assert_true(failed > 0);
    assert_whole(f);
}

/* Memory that is out is nobody's fault: no client is told that its key is bad, or its CSR. (One whose answer was lost
 * may come again with a nonce that is spent, for an order that is done.) */
static void assert_nobody_is_blamed(void)
{
    assert_int_not_equal(system("grep -E '\"(malformed|bad[PSC][A-Za-z]+|unauthorized)\"' server.log >&2"), 0);
}

static void memory(void **state)
{
    sweep(*state, PRELOAD_MEMORY, 40, 7);
    assert_nobody_is_blamed();
}

static void openssl_memory(void **state)
{
    sweep(*state, PRELOAD_CRYPTO, 0, 7);
    assert_nobody_is_blamed();
}

static void files(void **state)
{
    sweep(*state, PRELOAD_FILE, 40, 7);
}

static void sockets(void **state)
{
    sweep(*state, PRELOAD_SOCKET, 40, 7);
}

/* ---- a disk that stays full while a signature is stored */

static bool something_is_processing(void)
{
    return system(BIN "/caraway export --data data 2>/dev/null | grep -q '\"processing\"'") == 0;
}

static int count_file_calls(struct fixture *f)
{
    f->plan->calls = 0;
    f->plan->at = NEVER;
    f->plan->group = PRELOAD_FILE;
    assert_true(get_certificate(f, 20));
    f->plan->group = PRELOAD_NOTHING;
    return f->plan->calls;
}

/* True when the failure left an order that waits for its certificate. */
static bool fail_from(struct fixture *f, int at)
{
    f->plan->calls = 0;
    f->plan->at = at;
    f->plan->forever = 1;
    f->plan->group = PRELOAD_FILE;
    (void)get_certificate(f, 2);
    bool waits = something_is_processing();
    f->plan->group = PRELOAD_NOTHING;
    f->plan->forever = 0;
    assert_alive(f, at);
    int64_t until_ms = monotonic_ms() + RECOVERY_MS;
    while (something_is_processing() && monotonic_ms() < until_ms)
        continue;
    assert_false(something_is_processing());
    return waits;
}

static void orders_in_processing_end_without_a_restart(void **state)
{
    struct fixture *f = *state;
    assert_true(get_certificate(f, 20));
    int calls = count_file_calls(f), waited = 0;
    for (int at = calls; at > calls - LAST_CALLS && at > 0; at--)
        waited += fail_from(f, at);
    print_message("           of the last %d of %d calls, %d left an order in processing\n", LAST_CALLS, calls, waited);
    assert_true(waited > 0);
    assert_whole(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(openssl_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sockets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(orders_in_processing_end_without_a_restart, set_up_async, tear_down),
    };
    return cmocka_run_group_tests_name("server sweep", tests, NULL, NULL);
}
