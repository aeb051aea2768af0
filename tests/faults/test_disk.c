/* Disks that are full, read-only or damaged, maps that are full, limits of the process: what the store says, and that
 * it goes on when the cause is gone. */
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BLOB_BYTES = 30000,
    DISK_BYTES = 2 << 20,
    PAGE_BYTES = 4096,
    PATIENCE_S = 60,
    CERTIFICATES = 48,
    ALONE = 4 /* no index has them */
};

static void put_blob(struct store_txn *txn, void *arg)
{
    static char blob[BLOB_BYTES];
    char serial[16];
    snprintf(serial, sizeof serial, "c%06d", *(int *)arg);
    struct certificate certificate = sample_certificate(serial, "a1", 9000);
    certificate.der = bytes_of(blob, sizeof blob);
    store_put_certificate(txn, &certificate);
}

/* Few with pages of their own, and so many that there are leaves and branches above them. */
static void put_mixed(struct store_txn *txn, void *arg)
{
    static char blob[BLOB_BYTES];
    int number = *(int *)arg;
    char serial[16];
    snprintf(serial, sizeof serial, "c%06d", number);
    struct certificate certificate = sample_certificate(serial, "a1", 9000);
    certificate.der = bytes_of(blob, number % 24 == 0 ? BLOB_BYTES : 200);
    store_put_certificate(txn, &certificate);
}

static void put_alone(struct store_txn *txn, void *arg)
{
    char id[16];
    snprintf(id, sizeof id, "k%d", *(int *)arg);
    store_put_external_key(txn, &(struct external_key) { .id = id, .created_ms = 1 });
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

enum { PAGE_HEAD_BYTES = 16, PAGE_POINTERS_END = 48 };

static const struct damage {
    const char *name;
    int from, to; /* of a page */
    bool noise;   /* or zeros */
} damages[] = {
    { "zeros", 0, PAGE_BYTES, false },
    { "noise", 0, PAGE_BYTES, true },
    { "head of zeros", 0, PAGE_HEAD_BYTES, false },
    { "head of noise", 0, PAGE_HEAD_BYTES, true },
    { "body of zeros", PAGE_HEAD_BYTES, PAGE_BYTES, false },
    { "body of noise", PAGE_HEAD_BYTES, PAGE_BYTES, true },
    { "pointers of noise", PAGE_HEAD_BYTES, PAGE_POINTERS_END, true },
    { "nodes of noise", PAGE_POINTERS_END, PAGE_BYTES, true },
};

/* The same noise in each run. */
static void spoil(const struct damage *damage, size_t at, char page[static PAGE_BYTES])
{
    uint32_t noise = (uint32_t)at * 2654435761u + 1;
    for (int i = damage->from; i < damage->to; i++) {
        noise = noise * 1664525u + 1013904223u;
        page[i] = damage->noise ? (char)(noise >> 24) : 0;
    }
}

/* What a process makes of the database. */
enum sight {
    SIGHT_HARMLESS,
    SIGHT_TOLD,
    SIGHT_LOST,       /* records are gone and nobody says so */
    SIGHT_LAST_WORDS, /* a line, then a signal */
    SIGHT_CRASH,
    SIGHTS
};

static enum sight read_all(struct store *store)
{
    struct store_counts counts;
    int faults = 0;
    struct store_listener listener = { on_fault, go_on, &faults };
    if (store_check(store, &listener, &counts) != STORE_OK || faults > 0)
        return SIGHT_TOLD;
    return counts.records == CERTIFICATES + ALONE ? SIGHT_HARMLESS : SIGHT_LOST;
}

static enum sight write_some(struct store *store)
{
    bool clean = true;
    for (int i = 0; i < 2 * CERTIFICATES; i += 3)
        clean = store_write(store, i % 2 == 0 ? put_mixed : remove_blob, &i) == STORE_OK && clean;
    return clean ? SIGHT_HARMLESS : SIGHT_TOLD;
}

static void look(const struct fixture *fixture, enum sight (*how)(struct store *store), int last_words)
{
    struct store_options options = fixture_options(fixture);
    struct store *store;
    char why[STORE_WHY_SIZE];
    options.sync = false;
    alarm(PATIENCE_S);
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    dup2(last_words, STDERR_FILENO);
    if (store_open(&options, &store, why) != STORE_OK)
        _exit(SIGHT_TOLD);
    _exit((int)how(store));
}

static enum sight look_apart(const struct fixture *fixture, enum sight (*how)(struct store *store))
{
    char line[512] = "";
    int status, last_words = memfd_create("stderr", MFD_CLOEXEC);
    pid_t child = fork();
    if (child == 0)
        look(fixture, how, last_words);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(pread(last_words, line, sizeof line - 1, 0) >= 0);
    close(last_words);
    assert_false(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= SIGHT_LOST)
        return (enum sight)WEXITSTATUS(status);
    return strstr(line, "run \"caraway check\"") != NULL ? SIGHT_LAST_WORDS : SIGHT_CRASH;
}

/* The whole file each time: who opens it may change it. */
static void write_file(int fd, const char *whole, size_t len)
{
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    assert_int_equal(pwrite(fd, whole, len, 0), len);
}

static void look_at_damage(const struct fixture *fixture, int fd, char *whole, size_t len, const struct damage *damage,
                           enum sight (*how)(struct store *store))
{
    int seen[SIGHTS] = { 0 };
    char page[PAGE_BYTES];
    for (size_t at = 0; at < len; at += PAGE_BYTES) {
        memcpy(page, whole + at, sizeof page);
        spoil(damage, at, whole + at);
        write_file(fd, whole, len);
        seen[look_apart(fixture, how)]++;
        memcpy(whole + at, page, sizeof page);
    }
    write_file(fd, whole, len);
    print_message("           %s: %d harmless, %d told, %d lost, %d with last words, %d crashes\n", damage->name,
                  seen[SIGHT_HARMLESS], seen[SIGHT_TOLD], seen[SIGHT_LOST], seen[SIGHT_LAST_WORDS], seen[SIGHT_CRASH]);
    assert_int_equal(seen[SIGHT_LOST] + seen[SIGHT_CRASH], 0);
}

static void look_at_all_damages(struct fixture *fixture, enum sight (*how)(struct store *store))
{
    char file[96];
    struct stat found;
    snprintf(file, sizeof file, "%s/data.mdb", fixture->path);
    for (int i = 0; i < CERTIFICATES; i++)
        write_ok(fixture, put_mixed, &i);
    for (int i = 0; i < ALONE; i++)
        write_ok(fixture, put_alone, &i);
    store_drop(TAKE(fixture->store));
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &found), 0);
    size_t len = (size_t)found.st_size;
    char *whole = malloc(len);
    assert_non_null(whole);
    assert_int_equal(pread(fd, whole, len, 0), len);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++)
        look_at_damage(fixture, fd, whole, len, &damages[i], how);
    free(whole);
    close(fd);
    fixture_reopen(fixture);
    assert_holds(fixture->store, CERTIFICATES + ALONE);
}

static void who_reads_a_damaged_page_is_told(void **state)
{
    look_at_all_damages(*state, read_all);
}

static void who_writes_to_a_damaged_page_is_told(void **state)
{
    look_at_all_damages(*state, write_some);
}

#define CASE(name) CASE_ON("lmdb", name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_is_full_until_there_is_room), CASE(a_start_on_a_full_disk_says_so),
        CASE(a_start_on_a_read_only_disk_says_so),     CASE(a_full_map_takes_deletes_and_then_puts),
        CASE(a_full_map_grows_with_its_setting),       CASE(a_map_beyond_the_address_space_is_refused),
        CASE(a_start_without_files_says_so),           CASE(who_reads_a_damaged_page_is_told),
        CASE(who_writes_to_a_damaged_page_is_told),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
