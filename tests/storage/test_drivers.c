/* The memory driver and LMDB under the same random sequence: every answer must be the same. */
#include "tests/storage/samples.h"

#include <stdio.h>

enum { KEYS = 500, STEPS_PER_TXN = 60, TXNS = 120, MAX_BYTES = 64 << 20 };

#define CLASS "\x01" /* of the records of the first type */

struct pair {
    char path[64];
    void *memory, *lmdb;
    void *memory_txn, *lmdb_txn;
    uint64_t dice;
};

static unsigned roll(struct pair *pair, unsigned sides)
{
    pair->dice = pair->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(pair->dice >> 33) % sides;
}

static int pair_make(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    char why[STORE_WHY_SIZE];
    pair->dice = 7;
    sample_path(pair->path);
    struct store_options options = { .path = pair->path, .max_bytes = MAX_BYTES };
    assert_int_equal(driver_memory.open(&options, &pair->memory, why), STORE_OK);
    assert_int_equal(driver_lmdb.open(&options, &pair->lmdb, why), STORE_OK);
    *state = pair;
    return 0;
}

static int pair_drop(void **state)
{
    struct pair *pair = *state;
    driver_memory.close(pair->memory);
    driver_lmdb.close(pair->lmdb);
    sample_remove(pair->path);
    free(pair);
    return 0;
}

static void begin(struct pair *pair, bool write)
{
    assert_int_equal(driver_memory.begin(pair->memory, write, &pair->memory_txn), STORE_OK);
    assert_int_equal(driver_lmdb.begin(pair->lmdb, write, &pair->lmdb_txn), STORE_OK);
}

static void end(struct pair *pair, bool commit)
{
    if (!commit) {
        driver_memory.abort(pair->memory_txn);
        driver_lmdb.abort(pair->lmdb_txn);
        return;
    }
    assert_int_equal(driver_memory.commit(pair->memory_txn), STORE_OK);
    assert_int_equal(driver_lmdb.commit(pair->lmdb_txn), STORE_OK);
}

static void assert_same(enum store_status a, struct bytes first, enum store_status b, struct bytes second)
{
    assert_int_equal(a, b);
    assert_true(a != STORE_OK || bytes_equal(first, second));
}

static void compare_reads(struct pair *pair, struct bytes key)
{
    struct bytes a = { 0 }, b = { 0 };
    enum store_status memory = driver_memory.get(pair->memory_txn, key, &a);
    assert_same(memory, a, driver_lmdb.get(pair->lmdb_txn, key, &b), b);
    memory = driver_memory.seek(pair->memory_txn, key, &a);
    assert_same(memory, a, driver_lmdb.seek(pair->lmdb_txn, key, &b), b);
    memory = driver_memory.seek_before(pair->memory_txn, key, &a);
    assert_same(memory, a, driver_lmdb.seek_before(pair->lmdb_txn, key, &b), b);
}

/* Keys of different lengths, some of them prefixes of others. */
static struct bytes roll_key(struct pair *pair, char out[static 16])
{
    snprintf(out, 16, CLASS "%u", roll(pair, KEYS));
    return bytes_text(out);
}

static void put_both(struct pair *pair, struct bytes key, const char *value)
{
    assert_int_equal(driver_memory.put(pair->memory_txn, key, bytes_text(value)), STORE_OK);
    assert_int_equal(driver_lmdb.put(pair->lmdb_txn, key, bytes_text(value)), STORE_OK);
}

static void one_step(struct pair *pair)
{
    char key_text[16], value_text[16];
    struct bytes key = roll_key(pair, key_text);
    snprintf(value_text, sizeof value_text, "%u", roll(pair, 1000));
    if (roll(pair, 5) < 3)
        put_both(pair, key, value_text);
    else
        assert_int_equal(driver_memory.del(pair->memory_txn, key), driver_lmdb.del(pair->lmdb_txn, key));
    compare_reads(pair, roll_key(pair, key_text));
}

static void compare_all(struct pair *pair)
{
    begin(pair, false);
    for (int i = -1; i <= KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, CLASS "%d", i);
        compare_reads(pair, bytes_text(key));
    }
    end(pair, false);
}

static void answer_alike(void **state)
{
    struct pair *pair = *state;
    for (int txn = 0; txn < TXNS; txn++) {
        begin(pair, true);
        for (int step = 0; step < STEPS_PER_TXN; step++)
            one_step(pair);
        end(pair, roll(pair, 4) != 0);
        compare_all(pair);
    }
}

/* A reader that began earlier sees neither later commits nor the nodes that they share with it change. */
static void keep_a_readers_version(void **state)
{
    struct pair *pair = *state;
    void *reader;
    begin(pair, true);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, CLASS "%u", i);
        put_both(pair, bytes_text(key), "old");
    }
    end(pair, true);
    assert_int_equal(driver_memory.begin(pair->memory, false, &reader), STORE_OK);
    for (int txn = 0; txn < 20; txn++) {
        begin(pair, true);
        for (int step = 0; step < STEPS_PER_TXN; step++)
            one_step(pair);
        end(pair, true);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        struct bytes value;
        snprintf(key, sizeof key, CLASS "%u", i);
        assert_int_equal(driver_memory.get(reader, bytes_text(key), &value), STORE_OK);
        assert_true(bytes_equal_text(value, "old"));
    }
    driver_memory.abort(reader);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answer_alike),
        CASE(keep_a_readers_version),
    };
    return cmocka_run_group_tests_name("drivers", tests, NULL, NULL);
}
