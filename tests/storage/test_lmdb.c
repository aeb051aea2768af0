/* What only a database on disk has: persistence, the lock, damage, versions. */
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static enum store_status try_open(const struct fixture *fixture, char why[static STORE_WHY_SIZE])
{
    struct store_options options = fixture_options(fixture);
    struct store *store = NULL;
    enum store_status status = store_open(&options, &store, why);
    store_drop(store);
    return status;
}

static void keeps_over_reopen(void **state)
{
    struct fixture *fixture = *state;
    struct account account = sample_account("a1", "t1"), back;
    write_ok(fixture, put_account, &account);
    fixture_reopen(fixture);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_account(txn, fixture->arena, "a1", &back));
    assert_string_equal(sample_json(fixture->arena, &record_type_account, &account),
                        sample_json(fixture->arena, &record_type_account, &back));
    assert_string_equal(store_find(txn, fixture->arena, STORE_ACCOUNT_BY_KEY, "t1"), "a1");
}

static void syncs_when_told_to(void **state)
{
    struct fixture *fixture = *state;
    struct store_options options = fixture_options(fixture);
    options.sync = true;
    char why[STORE_WHY_SIZE];
    store_drop(TAKE(fixture->store));
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
    struct account account = sample_account("a1", "t1");
    write_ok(fixture, put_account, &account);
}

static void refuses_a_second_open(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    assert_int_equal(try_open(fixture, why), STORE_LOCKED);
    assert_non_null(strstr(why, fixture->path));
    store_drop(TAKE(fixture->store));
    assert_int_equal(try_open(fixture, why), STORE_OK);
    fixture_reopen(fixture);
}

/* The child holds the database until its standard input ends. */
static void refuses_while_another_process_has_it(void **state)
{
    struct fixture *fixture = *state;
    store_drop(TAKE(fixture->store));
    int held[2], release[2];
    assert_int_equal(pipe(held) | pipe(release), 0);
    pid_t child = fork();
    if (child == 0) {
        close(release[1]);
        char why[STORE_WHY_SIZE], byte = 0;
        struct store_options options = fixture_options(fixture);
        struct store *store;
        bool opened = store_open(&options, &store, why) == STORE_OK && write(held[1], &byte, 1) == 1;
        bool released = opened && read(release[0], &byte, 1) == 0;
        _exit(released ? 0 : 1);
    }
    char byte, why[STORE_WHY_SIZE];
    int code;
    close(release[0]);
    assert_int_equal(read(held[0], &byte, 1), 1);
    assert_int_equal(try_open(fixture, why), STORE_LOCKED);
    close(release[1]);
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    close(held[0]);
    close(held[1]);
    fixture_reopen(fixture); /* a dead process holds nothing */
}

static void put_version(struct store_txn *txn, void *arg)
{
    store_put_setting(txn, "schema-version", arg);
}

static void refuses_a_newer_version(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    write_ok(fixture, put_version, "77");
    store_drop(TAKE(fixture->store));
    assert_int_equal(try_open(fixture, why), STORE_VERSION);
    assert_non_null(strstr(why, "version 77"));
    assert_non_null(strstr(why, "up to 2"));
}

static void refuses_an_unreadable_version(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    write_ok(fixture, put_version, "1x");
    store_drop(TAKE(fixture->store));
    assert_int_equal(try_open(fixture, why), STORE_CORRUPT);
    assert_non_null(strstr(why, fixture->path));
}

static void refuses_what_is_no_database(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE], file[96], garbage[8192];
    store_drop(TAKE(fixture->store));
    snprintf(file, sizeof file, "%s/data.mdb", fixture->path);
    memset(garbage, 'g', sizeof garbage);
    int fd = open(file, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, garbage, sizeof garbage), sizeof garbage);
    close(fd);
    assert_int_equal(try_open(fixture, why), STORE_CORRUPT);
    assert_non_null(strstr(why, fixture->path));
}

static void says_why_a_directory_cannot_be(void **state)
{
    struct fixture *fixture = *state;
    struct store *store;
    char why[STORE_WHY_SIZE];
    struct store_options options = { "lmdb", "/dev/null/db", 1 << 20, false };
    assert_int_equal(store_open(&options, &store, why), STORE_IO);
    assert_non_null(strstr(why, "/dev/null/db"));
    char path[96];
    snprintf(path, sizeof path, "%s/made", fixture->path);
    options.path = path;
    assert_int_equal(store_open(&options, &store, why), STORE_OK);
    store_drop(store);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void runs_out_of_readers_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    struct store_txn *readers[600];
    size_t count = 0;
    while (count < ARRAY_SIZE(readers) && (readers[count] = store_begin_read(fixture->store)) != NULL)
        count++;
    assert_true(count >= 500 && count < ARRAY_SIZE(readers));
    for (size_t i = 0; i < count; i++)
        store_end_read(readers[i]);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_non_null(txn);
}

static void put_big(struct store_txn *txn, void *arg)
{
    static char blob[64 << 10];
    struct certificate certificate = sample_certificate(arg, "a1", 9000);
    certificate.der = bytes_of(blob, sizeof blob);
    store_put_certificate(txn, &certificate);
}

/* A limit on the size of files stands for a disk that is full, and then no longer. */
static void recovers_from_a_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = { 256 << 10, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char serial[8];
    enum store_status status = STORE_OK;
    int count = 0;
    for (; count < 20 && status == STORE_OK; count++) {
        snprintf(serial, sizeof serial, "c%02d", count);
        status = store_write(fixture->store, put_big, serial);
    }
    struct certificate certificate;
    AUTO(store_txn) full = store_begin_read(fixture->store);
    bool first = store_get_certificate(full, fixture->arena, "c00", &certificate);
    bool last = store_get_certificate(full, fixture->arena, serial, &certificate);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(status == STORE_FULL || status == STORE_IO); /* LMDB calls a write that was cut short an I/O error */
    assert_true(first && !last);
    write_ok(fixture, put_big, serial);
    AUTO(store_txn) again = store_begin_read(fixture->store);
    assert_true(store_get_certificate(again, fixture->arena, serial, &certificate));
}

/* Page by page, each a database of its own: whatever LMDB makes of it, the answer is a status or a whole record. */
static void a_lost_page_is_no_crash(void **state)
{
    struct fixture *fixture = *state;
    char file[96], why[STORE_WHY_SIZE];
    snprintf(file, sizeof file, "%s/data.mdb", fixture->path);
    struct account account = sample_account("a1", "t1");
    write_ok(fixture, put_account, &account);
    write_ok(fixture, put_big, "c00");
    store_drop(TAKE(fixture->store));
    struct stat whole;
    assert_int_equal(stat(file, &whole), 0);
    AUTO_TYPE(char) bytes = malloc((size_t)whole.st_size);
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, (size_t)whole.st_size, 0), whole.st_size);
    int lost = 0;
    for (off_t at = 0; at < whole.st_size; at += 4096) {
        assert_int_equal(ftruncate(fd, at), 0);
        lost += try_open(fixture, why) != STORE_OK;
        assert_int_equal(pwrite(fd, bytes, (size_t)whole.st_size, 0), whole.st_size);
    }
    close(fd);
    assert_true(lost > 0);
    fixture_reopen(fixture);
    struct account back;
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_account(txn, fixture->arena, "a1", &back));
}

static bool never_told(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

static void fault_told(void *arg, const char *sentence)
{
    (void)sentence;
    ++*(int *)arg;
}

static void a_copy_holds_the_same(void **state)
{
    struct fixture *fixture = *state;
    char file[96], why[STORE_WHY_SIZE];
    struct account account = sample_account("a1", "t1"), back;
    write_ok(fixture, put_account, &account);
    struct fixture copy = { .driver = "lmdb" };
    sample_path(copy.path);
    snprintf(file, sizeof file, "%s/data.mdb", copy.path);
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(store_copy(fixture->store, fd, why), STORE_OK);
    close(fd);
    fixture_reopen(&copy);
    AUTO(store_txn) txn = store_begin_read(copy.store);
    assert_true(store_get_account(txn, fixture->arena, "a1", &back));
    store_end_read(TAKE(txn));
    int faults = 0;
    struct store_counts counts;
    struct store_listener listener = { fault_told, never_told, &faults };
    assert_int_equal(store_check(copy.store, &listener, &counts), STORE_OK);
    assert_int_equal(faults, 0);
    assert_int_equal(counts.records, 1);
    store_drop(copy.store);
    sample_remove(copy.path);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(store_copy(fixture->store, full, why), STORE_FULL);
    assert_non_null(strstr(why, "disk space"));
    close(full);
}

#define CASE(name) CASE_ON("lmdb", name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keeps_over_reopen),           CASE(syncs_when_told_to),
        CASE(refuses_a_second_open),       CASE(refuses_while_another_process_has_it),
        CASE(refuses_a_newer_version),     CASE(refuses_an_unreadable_version),
        CASE(refuses_what_is_no_database), CASE(says_why_a_directory_cannot_be),
        CASE(recovers_from_a_full_disk),   CASE(runs_out_of_readers_and_recovers),
        CASE(a_lost_page_is_no_crash),     CASE(a_copy_holds_the_same),
    };
    return cmocka_run_group_tests_name("lmdb", tests, NULL, NULL);
}
