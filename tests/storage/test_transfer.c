/* Export and import: what is written down comes back, and a file that is wrong is refused at its line. */
#include "storage/upkeep.h"
#include "tests/storage/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER "{\"export\":{\"version\":1}}\n"

static int file_of(const char *text)
{
    int fd = memfd_create("export", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void text_of(int fd, struct buf *out)
{
    char block[4096];
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)counts;
    return !(arg != NULL && *(bool *)arg);
}

static enum store_status import(struct store *store, int fd, enum store_import_mode mode, char why[STORE_WHY_SIZE])
{
    struct store_listener listener = { NULL, go_on, NULL };
    struct store_counts counts;
    enum store_status status = store_import(store, fd, mode, &listener, &counts, why);
    close(fd);
    return status;
}

static void put_samples(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_account(txn, sample_of(&record_type_account));
    store_put_order(txn, sample_of(&record_type_order));
    store_put_authorization(txn, sample_of(&record_type_authorization));
    store_put_certificate(txn, sample_of(&record_type_certificate));
    struct external_key key = *(const struct external_key *)sample_of(&record_type_external_key);
    key.accounts = (struct texts) { 0 }; /* today's keys list none */
    store_put_external_key(txn, &key);
}

static void put_more(struct store_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < 2500; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%06d", i);
        struct account account = sample_account(id, id);
        store_put_account(txn, &account);
    }
}

static int export(struct store *store)
{
    char why[STORE_WHY_SIZE];
    int fd = memfd_create("export", MFD_CLOEXEC);
    assert_int_equal(store_export(store, fd, why), STORE_OK);
    return fd;
}

static void assert_same_export(struct store *store, int fd)
{
    AUTO_BUF(first, 64 << 20);
    AUTO_BUF(second, 64 << 20);
    int again = export(store);
    text_of(fd, &first);
    text_of(again, &second);
    close(again);
    assert_true(first.len > 0);
    assert_string_equal(buf_str(&first), buf_str(&second));
}

static void on_fault(void *arg, const char *sentence)
{
    (void)arg;
    fail_msg("%s", sentence);
}

static void everything_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other = { .driver = fixture->driver };
    sample_path(other.path);
    fixture_reopen(&other);
    write_ok(fixture, put_samples, NULL);
    write_ok(fixture, put_more, NULL);
    int fd = export(fixture->store);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    char why[STORE_WHY_SIZE];
    assert_int_equal(import(other.store, dup(fd), STORE_IMPORT_EMPTY, why), STORE_OK);
    assert_same_export(other.store, fd);
    struct store_listener listener = { on_fault, go_on, NULL };
    struct store_counts counts;
    assert_int_equal(store_check(other.store, &listener, &counts), STORE_OK);
    assert_int_equal(counts.records, 2505);
    close(fd);
    store_drop(other.store);
    sample_remove(other.path);
}

static void an_export_is_lines_of_json(void **state)
{
    struct fixture *fixture = *state;
    struct account account = { .id = "a1" };
    write_ok(fixture, put_account, &account);
    AUTO_BUF(text, 1 << 16);
    int fd = export(fixture->store);
    text_of(fd, &text);
    close(fd);
    assert_string_equal(buf_str(&text), HEADER "{\"account\":{\"id\":\"a1\",\"state\":\"valid\"}}\n"
                                               "{\"end\":{\"records\":1}}\n");
}

/* A key listed its accounts where an index does today. */
static void an_old_export_is_understood(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    struct external_key key;
    int fd = file_of(
        HEADER
        "{\"account\":{\"id\":\"a1\",\"state\":\"valid\",\"external_key\":\"k\"}}\n"
        "{\"external_key\":{\"id\":\"k\",\"secret\":\"AAECAwQFBgcICQoLDA0ODw\",\"accounts\":[\"a1\",\"pruned\"]}}\n"
        "{\"end\":{\"records\":2}}\n");
    assert_int_equal(import(fixture->store, fd, STORE_IMPORT_EMPTY, why), STORE_OK);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_external_key(txn, fixture->arena, "k", &key));
    assert_int_equal(key.accounts.count, 0);
    assert_int_equal(key.bound, 2);
    assert_string_equal(store_find(txn, fixture->arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, "k"), "a1");
}

static void only_an_empty_store_is_filled(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    const char *text = HEADER "{\"account\":{\"id\":\"a1\",\"state\":\"revoked\"}}\n{\"end\":{\"records\":1}}\n";
    struct account account = sample_account("a1", "t1"), back;
    write_ok(fixture, put_account, &account);
    assert_int_equal(import(fixture->store, file_of(text), STORE_IMPORT_EMPTY, why), STORE_CORRUPT);
    assert_non_null(strstr(why, "holds records already (account)"));
    assert_int_equal(import(fixture->store, file_of(text), STORE_IMPORT_MERGE, why), STORE_OK);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    assert_true(store_get_account(txn, fixture->arena, "a1", &back));
    assert_int_equal(back.state, ACCOUNT_REVOKED);
    assert_null(store_find(txn, fixture->arena, STORE_ACCOUNT_BY_KEY, "t1"));
}

static void what_is_wrong_is_refused_at_its_line(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "line 1: the export breaks off" },
        { "\n", "line 1: " },
        { "{\"account\":{\"id\":\"a\"}}\n", "line 1: this is no export" },
        { "{\"export\":{\"version\":2}}\n", "line 1: the export was written by a newer version, in format 2" },
        { HEADER, "line 2: the export breaks off" },
        { HEADER "{\"end\":{\"records\":0}}", "line 2: the file breaks off inside it" },
        { HEADER "{\"end\":{\"records\":1}}\n", "0 were read" },
        { HEADER "{\"end\":{}}\n", "0 were read" },
        { HEADER "{\"end\":{\"records\":0}}\n{\"account\":{\"id\":\"a\"}}\n", "line 3: something stands behind" },
        { HEADER "[]\n", "line 2: " },
        { HEADER "{}\n", "line 2: one record is expected" },
        { HEADER "{\"acount\":{\"id\":\"a\"}}\n", "line 2: one record is expected" },
        { HEADER "{\"account\":{\"id\":\"a\"},\"order\":{\"id\":\"o\"}}\n", "line 2: one record is expected" },
        { HEADER "{\"account\":{\"id\":\"a\",\"colour\":1}}\n", "line 2: account has no member \"colour\"" },
        { HEADER "{\"account\":{\"id\":\"a\",\"state\":1}}\n", "line 2: account: \"state\" must be" },
        { HEADER "{\"account\":{}}\n", "line 2: account: its id" },
        { HEADER "{\"rate_override\":{\"id\":\"r\"}}\n", "line 2: rate_override: \"limit\" is missing" },
        { HEADER "{\"external_key\":{\"id\":\"k\"}}\n", "line 2: external_key: \"secret\" is missing" },
        { HEADER
          "{\"authorization\":{\"id\":\"z\",\"account\":\"a\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},"
          "\"challenges\":[{\"state\":\"processing\"}]}}\n",
          "line 2: authorization: \"type\" is missing" },
        { HEADER "{\"account\":{\"id\":\"\"}}\n", "line 2: account: its id" },
        { HEADER "{\"account\":{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}}\n",
          "line 2: account: its id" },
        { HEADER "{\"account\":\n", "line 2: " },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[STORE_WHY_SIZE];
        assert_int_equal(import(fixture->store, file_of(rows[i].text), STORE_IMPORT_EMPTY, why), STORE_CORRUPT);
        if (strstr(why, rows[i].why) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", why, rows[i].why);
    }
}

static void a_line_has_a_bound(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_int_equal(import(fixture->store, zeros, STORE_IMPORT_EMPTY, why), STORE_CORRUPT);
    assert_string_equal(why, "line 1: it is longer than 16 MiB");
}

static void the_listener_may_end_an_import(void **state)
{
    struct fixture *fixture = *state;
    bool stop = true;
    struct store_listener listener = { NULL, go_on, &stop };
    struct store_counts counts;
    char why[STORE_WHY_SIZE];
    int fd = file_of(HEADER "{\"account\":{\"id\":\"a1\"}}\n{\"end\":{\"records\":1}}\n");
    assert_int_equal(store_import(fixture->store, fd, STORE_IMPORT_EMPTY, &listener, &counts, why), STORE_CLOSED);
    assert_int_equal(counts.records, 1);
    close(fd);
}

static void a_full_target_fails_the_export(void **state)
{
    struct fixture *fixture = *state;
    char why[STORE_WHY_SIZE];
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(store_export(fixture->store, full, why), STORE_IO);
    assert_non_null(strstr(why, "No space left"));
    close(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(everything_comes_back),
        CASE_ON_BOTH(an_old_export_is_understood),
        CASE_ON_BOTH(only_an_empty_store_is_filled),
        CASE_ON("memory", an_export_is_lines_of_json),
        CASE_ON("memory", what_is_wrong_is_refused_at_its_line),
        CASE_ON("memory", a_line_has_a_bound),
        CASE_ON("memory", the_listener_may_end_an_import),
        CASE_ON("memory", a_full_target_fails_the_export),
    };
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
