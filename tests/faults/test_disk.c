/* Disks that are full, read-only or damaged, maps that are full, limits of the process: what the store says, and that
 * it goes on when the cause is gone. */
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOB_BYTES = 30000, DISK_BYTES = 2 << 20, PAGE_BYTES = 4096, PATIENCE_S = 60, DAMAGED_RECORDS = 8 };

static void put_blob(struct store_txn *txn, void *arg)
{
    static char blob[BLOB_BYTES];
    char serial[16];
    snprintf(serial, sizeof serial, "c%06d", *(int *)arg);
    struct certificate certificate = sample_certificate(serial, "a1", 9000);
    certificate.der = bytes_of(blob, sizeof blob);
    store_put_certificate(txn, &certificate);
}

static void remove_blob(struct store_txn *txn, void *arg)
{
    char serial[16];
    snprintf(serial, sizeof serial, "c%06d", *(int *)arg);
    store_delete_certificate(txn, serial);
}

/* Puts until the store takes no more; how many it took. */
static int fill(struct store *store, enum store_status *out_status)
{
    int count = 0;
    while ((*out_status = store_write(store, put_blob, &count)) == STORE_OK)
        assert_true(++count < 10000);
    return count;
}

static void on_fault(void *arg, const char *sentence)
{
    if (arg == NULL)
        fail_msg("%s", sentence);
    ++*(int *)arg;
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

static void assert_holds(struct store *store, int count)
{
    struct store_listener listener = { on_fault, go_on, NULL };
    struct store_counts counts;
    assert_int_equal(store_check(store, &listener, &counts), STORE_OK);
    assert_int_equal(counts.records, count);
}

/* ---- a small disk of our own, where we may make one */

static void make_disk(struct fixture *fixture)
{
    char size[32];
    snprintf(size, sizeof size, "size=%d", DISK_BYTES);
    store_drop(TAKE(fixture->store));
    bool made = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                mount("tmpfs", fixture->path, "tmpfs", 0, size) == 0;
    if (!made) {
        print_message("           no rights to mount a disk: %s\n", strerror(errno));
        fixture_reopen(fixture);
        skip();
    }
}

static void remove_disk(struct fixture *fixture)
{
    store_drop(TAKE(fixture->store));
    assert_int_equal(umount(fixture->path), 0);
    fixture_reopen(fixture);
}

static void ballast_path(const struct fixture *fixture, char out[static 96])
{
    snprintf(out, 96, "%s/ballast", fixture->path);
}

static void add_ballast(const struct fixture *fixture, size_t bytes)
{
    static const char zeros[PAGE_BYTES];
    char path[96];
    ballast_path(fixture, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (size_t done = 0; done < bytes && write(fd, zeros, sizeof zeros) > 0;)
        done += sizeof zeros;
    close(fd);
}

static void remove_ballast(const struct fixture *fixture)
{
    char path[96];
    ballast_path(fixture, path);
    assert_int_equal(unlink(path), 0);
}

/* The ballast moves the point at which the disk is full through the pages of a commit. */
static void a_full_disk_is_full_until_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    for (size_t ballast = 64 * PAGE_BYTES; ballast < 80 * PAGE_BYTES; ballast += PAGE_BYTES) {
        enum store_status status;
        make_disk(fixture);
        add_ballast(fixture, ballast);
        fixture_reopen(fixture);
        int count = fill(fixture->store, &status);
        assert_int_equal(status, STORE_FULL);
        assert_int_equal(store_write(fixture->store, put_blob, &count), STORE_FULL);
        assert_holds(fixture->store, count);
        remove_ballast(fixture);
        assert_int_equal(store_write(fixture->store, remove_blob, &(int) { 0 }), STORE_OK);
        assert_int_equal(store_write(fixture->store, put_blob, &(int) { 0 }), STORE_OK);
        assert_holds(fixture->store, count);
        fixture_reopen(fixture);
        assert_holds(fixture->store, count);
        remove_disk(fixture);
    }
}

static void a_start_on_a_full_disk_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    char why[STORE_WHY_SIZE];
    make_disk(fixture);
    add_ballast(fixture, DISK_BYTES);
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_FULL);
    assert_non_null(strstr(why, "No space left"));
    remove_ballast(fixture);
    fixture_reopen(fixture);
    remove_disk(fixture);
}

static void a_start_on_a_read_only_disk_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    char why[STORE_WHY_SIZE];
    make_disk(fixture);
    assert_int_equal(mount(NULL, fixture->path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_IO);
    assert_non_null(strstr(why, "mount the file system for writing"));
    assert_int_equal(mount(NULL, fixture->path, NULL, MS_REMOUNT, NULL), 0);
    fixture_reopen(fixture);
    remove_disk(fixture);
}

/* ---- limits */

static void a_full_map_takes_deletes_and_then_puts(void **state)
{
    struct fixture *fixture = *state;
    enum store_status status;
    int count = fill(fixture->store, &status);
    assert_int_equal(status, STORE_FULL);
    assert_holds(fixture->store, count);
    for (int i = 0; i < count / 2; i++)
        assert_int_equal(store_write(fixture->store, remove_blob, &i), STORE_OK);
    assert_holds(fixture->store, count - count / 2);
    for (int i = 0; i < count / 4; i++)
        assert_int_equal(store_write(fixture->store, put_blob, &i), STORE_OK);
}

static void a_full_map_grows_with_its_setting(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    enum store_status status;
    char why[STORE_WHY_SIZE];
    int count = fill(fixture->store, &status);
    store_drop(TAKE(fixture->store));
    options.max_bytes *= 2;
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
    for (int i = 0; i < count / 2; i++)
        assert_int_equal(store_write(fixture->store, put_blob, &(int) { count + i }), STORE_OK);
    store_drop(TAKE(fixture->store)); /* and a smaller one does not lose what there is */
    options.max_bytes = 1 << 20;
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
    assert_holds(fixture->store, count + count / 2);
}

static void a_map_beyond_the_address_space_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    char why[STORE_WHY_SIZE];
    store_drop(TAKE(fixture->store));
    options.max_bytes = INT64_C(1) << 60;
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_NO_MEMORY);
    assert_non_null(strstr(why, "lower storage.max-size"));
    fixture_reopen(fixture);
}

static void a_start_without_files_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    struct rlimit before, few;
    char why[STORE_WHY_SIZE];
    store_drop(TAKE(fixture->store));
    int next = dup(STDOUT_FILENO);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int refused = 0;
    for (few = before, few.rlim_cur = (rlim_t)next; fixture->store == NULL; few.rlim_cur++, refused++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        enum store_status status = store_open(&options, &fixture->store, why);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(status == STORE_OK || (status == STORE_IO && strstr(why, "ulimit -n") != NULL));
    }
    assert_true(refused > 1);
}

/* ---- damaged pages */

enum damage { ZEROS, GARBAGE, DAMAGES };

/* What a process makes of the database: 0 clean, 1 damage was told, 2 a signal. */
static int look_apart(const struct fixture *fixture)
{
    pid_t child = fork();
    if (child == 0) {
        struct store_options options = fixture_options(fixture);
        struct store *store;
        struct store_counts counts;
        char why[STORE_WHY_SIZE];
        int faults = 0;
        struct store_listener listener = { on_fault, go_on, &faults };
        alarm(PATIENCE_S);
        signal(SIGABRT, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        if (store_open(&options, &store, why) != STORE_OK)
            _exit(1);
        bool clean =
            store_check(store, &listener, &counts) == STORE_OK && faults == 0 && counts.records == DAMAGED_RECORDS;
        _exit(clean ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    return WIFEXITED(status) && WEXITSTATUS(status) <= 1 ? WEXITSTATUS(status) : 2;
}

static void damaged_pages_are_told(void **state)
{
    struct fixture *fixture = *state;
    char file[96], page[PAGE_BYTES], bad[PAGE_BYTES];
    snprintf(file, sizeof file, "%s/data.mdb", fixture->path);
    for (int i = 0; i < DAMAGED_RECORDS; i++)
        write_ok(fixture, put_blob, &i);
    store_drop(TAKE(fixture->store));
    int fd = open(file, O_RDWR | O_CLOEXEC), told[DAMAGES][3] = { 0 };
    struct stat whole;
    assert_int_equal(fstat(fd, &whole), 0);
    for (off_t at = 0; at < whole.st_size; at += PAGE_BYTES) {
        assert_int_equal(pread(fd, page, sizeof page, at), sizeof page);
        for (enum damage damage = ZEROS; damage < DAMAGES; damage++) {
            memset(bad, damage == ZEROS ? 0 : 0xa5, sizeof bad);
            assert_int_equal(pwrite(fd, bad, sizeof bad, at), sizeof bad);
            told[damage][look_apart(fixture)]++;
        }
        assert_int_equal(pwrite(fd, page, sizeof page, at), sizeof page);
    }
    close(fd);
    for (enum damage damage = ZEROS; damage < DAMAGES; damage++)
        print_message("           %d harmless, %d told, %d crashes\n", told[damage][0], told[damage][1],
                      told[damage][2]);
    assert_int_equal(told[ZEROS][2], 0);
    fixture_reopen(fixture);
    assert_holds(fixture->store, DAMAGED_RECORDS);
}

#define CASE(name) CASE_ON("lmdb", name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_is_full_until_there_is_room), CASE(a_start_on_a_full_disk_says_so),
        CASE(a_start_on_a_read_only_disk_says_so),     CASE(a_full_map_takes_deletes_and_then_puts),
        CASE(a_full_map_grows_with_its_setting),       CASE(a_map_beyond_the_address_space_is_refused),
        CASE(a_start_without_files_says_so),           CASE(damaged_pages_are_told),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
