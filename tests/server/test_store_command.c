/* check, backup, restore, export, import and compact from outside: on a data directory at rest and beside a server. */
#include "base/buf.h"
#include "tests/folder.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 1 << 20, COMMAND_MAX = 1024 };

#define RECORDS                                                                                                        \
    "{\"export\":{\"version\":1}}\n{\"account\":{\"id\":\"a1\",\"state\":\"valid\",\"thumbprint\":\"t1\"}}\n"          \
    "{\"order\":{\"id\":\"o1\",\"account\":\"a1\",\"state\":\"pending\",\"identifiers\":[{\"type\":\"dns\",\"value\":" \
    "\"a.test\"}],"                                                                                                    \
    "\"profile\":\"classic\",\"expires\":\"2030-01-01T00:00:00.000Z\"}}\n"                                             \
    "{\"end\":{\"records\":2}}\n"

struct fixture {
    char directory[64];
    pid_t server;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/caraway-upkeep-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_int_equal(chdir(f->directory), 0);
    *state = f;
    return 0;
}

static void stop_server(struct fixture *f)
{
    if (f->server <= 0)
        return;
    kill(f->server, SIGTERM);
    assert_int_equal(waitpid(f->server, NULL, 0), f->server);
    f->server = 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    stop_server(f);
    folder_remove(f->directory);
    free(f);
    return 0;
}

/* Runs "caraway WORDS" by the shell; what it printed is in `out`. Returns the exit status. */
static int run(struct buf *out, const char *words)
{
    char command[COMMAND_MAX], block[4096];
    buf_clear(out);
    snprintf(command, sizeof command, "{ %s %s; } 2>&1", CARAWAY_BINARY, words);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    for (size_t got; (got = fread(block, 1, sizeof block, pipe)) > 0;)
        buf_append(out, block, got);
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_run(const char *words, int status, const char *says)
{
    AUTO_BUF(out, OUTPUT_MAX);
    int ended = run(&out, words);
    if (ended != status || strstr(buf_str(&out), says) == NULL)
        fail_msg("%s: exit status %d, and it says: %s", words, ended, buf_str(&out));
}

static void write_file(const char *name, const char *text, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void fill(void)
{
    write_file("records.json", RECORDS, strlen(RECORDS));
    assert_run("import --data data records.json", 0, "2 records");
}

static void start_server(struct fixture *f, const char *driver)
{
    int ready[2];
    char fd_text[16], setting[64], line[8] = "";
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    snprintf(setting, sizeof setting, "storage.driver=%s", driver);
    f->server = fork();
    if (f->server == 0) {
        fcntl(ready[1], F_SETFD, 0);
        snprintf(fd_text, sizeof fd_text, "%d", ready[1]);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execl(CARAWAY_BINARY, "caraway", "--data", "data", "--listen", "127.0.0.1:0", "--set",
              "management.listen=", "--set", setting, "--ready-fd", fd_text, NULL);
        _exit(127);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], line, sizeof line - 1), 6);
    close(ready[0]);
}

static void at_rest(void **state)
{
    (void)state;
    fill();
    assert_run("check --data data", 0, "2 records and 3 keys of indexes: 0 faults");
    assert_run("export --data data", 0, RECORDS);
    assert_run("export --data data - >all.json", 0, "");
    assert_run("import --data second all.json", 0, "2 records");
    assert_run("export --data second", 0, RECORDS);
    assert_run("backup --data data copy", 0, "copy: ");
    assert_run("restore --data third copy", 0, "2 records");
    assert_run("export --data third", 0, RECORDS);
    assert_run("backup --data data - | " CARAWAY_BINARY " restore --data fourth -", 0, "2 records");
    assert_run("compact --data data", 0, " before");
    assert_run("export --data data", 0, RECORDS);
}

static void beside_a_server(void **state)
{
    fill();
    start_server(*state, "lmdb");
    assert_run("check --data data", 0, "2 records and 3 keys of indexes: 0 faults");
    assert_run("export --data data", 0, RECORDS);
    assert_run("backup --data data copy", 0, "copy: ");
    assert_run("import --data data --merge records.json", 1, "another caraway has the data directory data open");
    assert_run("compact --data data", 1, "another caraway has the data directory data open");
    stop_server(*state);
    assert_run("restore --data third copy", 0, "third/ca is not there, and no part of a backup");
    assert_run("export --data third", 0, RECORDS);
    assert_int_equal(rename("data/db", "data/db.broken"), 0);
    assert_run("restore --data data copy | grep -c 'no part' || true", 0, "0\n");
}

static void beside_a_server_in_memory(void **state)
{
    start_server(*state, "memory");
    assert_run("check --data data", 0, "0 records and 0 keys of indexes: 0 faults");
    assert_run("export --data data", 0, "{\"end\":{\"records\":0}}");
    assert_run("backup --data data copy", 1, "the server broke off");
    assert_int_equal(access("copy", F_OK), -1);
    assert_int_equal(access("copy.part", F_OK), -1);
    stop_server(*state);
    assert_run("check --data data --set storage.driver=memory", 1, "there is no database");
}

static void refusals(void **state)
{
    (void)state;
    assert_run("check --data none", 1, "there is no database in none");
    assert_run("backup --data none copy", 1, "there is no database in none");
    assert_run("export --data none", 1, "there is no database in none");
    assert_run("compact --data none", 1, "there is no database in none");
    assert_run("backup --data none", 1, "takes one FILE");
    assert_run("import --data none", 1, "takes one FILE");
    assert_run("import --data none missing", 1, "cannot read missing: No such file");
    fill();
    assert_run("import --data data records.json", 1, "--merge puts");
    assert_run("import --data data --merge records.json", 0, "2 records");
    assert_run("import --data new --set storage.driver=memory records.json", 1, "storage.driver is memory");
    assert_run("restore --data data records.json", 1, "move data/db away first");
    assert_run("restore --data new records.json", 1, "records.json is not a whole backup");
    assert_run("restore --data new - </dev/null", 1, "- is empty");
    assert_run("backup --data data missing/copy", 1, "cannot write missing/copy.part: No such file");
    assert_run("backup --data data - >/dev/full", 1, "No space left");
}

#define LONG_NAME "as-long-as-names-of-directories-are-where-machines-give-them-to-machines-themselves"

/* No socket has so long a path: a server there was started from nearer, and nobody answers. */
static void far_away(void **state)
{
    (void)state;
    assert_int_equal(mkdir(LONG_NAME, 0700), 0);
    write_file("records.json", RECORDS, strlen(RECORDS));
    assert_run("import --data " LONG_NAME "/" LONG_NAME " records.json", 0, "2 records");
    assert_run("check --data " LONG_NAME "/" LONG_NAME, 0, "0 faults");
    assert_run("backup --data " LONG_NAME "/" LONG_NAME " copy", 0, "copy: ");
    assert_run("account list --data " LONG_NAME "/" LONG_NAME, 1, "longer than 107 bytes");
}

/* Cut at every page: either all records are there, or nothing is restored. */
static void a_cut_backup_is_not_restored(void **state)
{
    (void)state;
    static char copy[1 << 20];
    fill();
    assert_run("backup --data data copy", 0, "copy: ");
    int fd = open("copy", O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, copy, sizeof copy);
    close(fd);
    assert_true(len > 4096 && len < (ssize_t)sizeof copy);
    for (ssize_t cut = 4096; cut < len; cut += 4096) {
        write_file("cut", copy, (size_t)cut);
        assert_run("restore --data cut-data cut", 1, "cut is not a whole backup");
        assert_int_equal(access("cut-data/db/data.mdb", F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_a_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_a_server_in_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(far_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_backup_is_not_restored, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store commands", tests, NULL, NULL);
}
