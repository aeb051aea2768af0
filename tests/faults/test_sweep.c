/* Fails the Nth call of each group of functions, for N = 1, 2, … until a run in which nothing failed. After each the
 * same store works again without a restart, whatever was acknowledged is there, check is clean and nothing leaks. */
#include "storage/upkeep.h"
#include "tests/faults/fault.h"
#include "tests/storage/fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RECORDS = 6, CALLS_MAX = 20000, BLOB_BYTES = 9000 };

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

struct run {
    struct fixture *fixture;
    bool written[RECORDS + 1]; /* acknowledged, and so must be there */
    bool removed;              /* of the first record: acknowledged */
    bool remove_tried;
};

static char blob[BLOB_BYTES];
static const char imported[] = "{\"export\":{\"version\":1}}\n{\"account\":{\"id\":\"imported\"}}\n"
                               "{\"end\":{\"records\":1}}\n";

static void serial_of(int number, char out[static 8])
{
    snprintf(out, 8, "c%04d", number);
}

static void put_one(struct store_txn *txn, void *arg)
{
    char serial[8];
    serial_of(*(int *)arg, serial);
    struct certificate certificate = sample_certificate(serial, "a1", 9000);
    certificate.der = bytes_of(blob, sizeof blob);
    store_put_certificate(txn, &certificate);
}

static void remove_first(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_delete_certificate(txn, "c0000");
}

static void on_fault(void *arg, const char *sentence)
{
    (void)arg;
    fault_disarm();
    fail_msg("check: %s", sentence);
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

static const struct store_listener listener = { on_fault, go_on, NULL };

static void write_some(struct run *run)
{
    struct store *store = run->fixture->store;
    for (int i = 0; i < RECORDS; i++)
        run->written[i] = store_write(store, put_one, &i) == STORE_OK;
    run->remove_tried = true;
    run->removed = store_write(store, remove_first, NULL) == STORE_OK;
}

static void read_some(struct run *run)
{
    char why[STORE_WHY_SIZE];
    struct store *store = run->fixture->store;
    struct store_counts counts;
    int out = memfd_create("out", MFD_CLOEXEC), in = memfd_create("in", MFD_CLOEXEC);
    (void)!syscall(SYS_pwrite64, in, imported, strlen(imported), 0);
    (void)!store_check(store, &listener, &counts);
    (void)!store_export(store, out, why);
    (void)!store_copy(store, out, why);
    (void)!store_import(store, in, STORE_IMPORT_MERGE, &listener, &counts, why);
    close(in);
    close(out);
}

static void assert_whole(struct run *run)
{
    struct store_counts counts;
    assert_int_equal(store_check(run->fixture->store, &listener, &counts), STORE_OK);
    AUTO(store_txn) txn = store_begin_read(run->fixture->store);
    assert_non_null(txn);
    for (int i = 0; i <= RECORDS; i++) {
        char serial[8];
        struct certificate certificate;
        serial_of(i, serial);
        arena_reset(run->fixture->arena);
        bool there = store_get_certificate(txn, run->fixture->arena, serial, &certificate);
        assert_false(there && i == 0 && run->removed);
        assert_true(there || !run->written[i] || (i == 0 && run->remove_tried));
        assert_true(!there || bytes_equal(certificate.der, bytes_of(blob, sizeof blob)));
    }
}

/* True when a call failed. */
static bool run_once(struct fixture *fixture, const struct fault *fault)
{
    struct run run = { .fixture = fixture };
    struct store_options options = fixture_options(fixture);
    char why[STORE_WHY_SIZE] = "";
    options.sync = true;
    sample_path(fixture->path);
    fault_arm(fault);
    enum store_status status = store_open(&options, &fixture->store, why);
    if (status == STORE_OK) {
        write_some(&run);
        read_some(&run);
    }
    bool failed = fault_disarm();
    if (status != STORE_OK) {
        assert_true(failed);
        assert_true(strlen(why) > 0);
        assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
    }
    /* the cause is gone: no restart is needed, for reading first nor for writing */
    struct store_txn *first = store_begin_read(fixture->store);
    assert_non_null(first);
    store_end_read(first);
    run.written[RECORDS] = store_write(fixture->store, put_one, &(int) { RECORDS }) == STORE_OK;
    assert_true(run.written[RECORDS]);
    assert_whole(&run);
    fixture_reopen(fixture);
    assert_whole(&run);
    store_drop(TAKE(fixture->store));
    sample_remove(fixture->path);
    if (__lsan_do_recoverable_leak_check != NULL)
        assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
    return failed;
}

static void sweep(void **state)
{
    struct fault fault = *(struct fault *)*state;
    struct fixture fixture = { .driver = "lmdb", .arena = arena_create(1 << 20) };
    memset(blob, 'b', sizeof blob);
    for (fault.at = 1; run_once(&fixture, &fault); fault.at++)
        assert_true(fault.at < CALLS_MAX);
    print_message("           %d calls\n", fault.at - 1);
    assert_true(fault.at > 1);
    arena_drop(fixture.arena);
}

#define CASE(name, ...)                                                                                                \
    {                                                                                                                  \
        name, sweep, NULL, NULL, &(struct fault)                                                                       \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("memory runs out once", .groups = FAULT_MEMORY, .code = ENOMEM),
        CASE("memory runs out", .groups = FAULT_MEMORY, .code = ENOMEM, .forever = true),
        CASE("the database is out of memory", .groups = FAULT_DATABASE, .code = ENOMEM),
        CASE("the database fails", .groups = FAULT_DATABASE, .code = EIO, .forever = true),
        CASE("a write fails", .groups = FAULT_WRITE, .code = EIO),
        CASE("the disk is full", .groups = FAULT_WRITE, .code = ENOSPC, .forever = true),
        CASE("the disk gets full within a write", .groups = FAULT_WRITE, .code = ENOSPC, .shorter = true,
             .forever = true),
        CASE("a sync fails", .groups = FAULT_SYNC, .code = EIO),
        CASE("no sync works", .groups = FAULT_SYNC, .code = EIO, .forever = true),
        CASE("files are out", .groups = FAULT_OPEN, .code = EMFILE),
        CASE("threads are out", .groups = FAULT_THREAD, .code = EAGAIN),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
