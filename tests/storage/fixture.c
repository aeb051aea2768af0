#include "tests/storage/fixture.h"

enum { FIXTURE_MAX_BYTES = 16 << 20 };

struct store_options fixture_options(const struct fixture *fixture)
{
    return (struct store_options) { fixture->driver, fixture->path, FIXTURE_MAX_BYTES, false };
}

void fixture_reopen(struct fixture *fixture)
{
    char why[STORE_WHY_SIZE];
    struct store_options options = fixture_options(fixture);
    store_drop(TAKE(fixture->store));
    assert_int_equal(store_open(&options, &fixture->store, why), STORE_OK);
}

int fixture_make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->driver = *state;
    sample_path(fixture->path);
    fixture->arena = arena_create(64 << 20);
    fixture_reopen(fixture);
    *state = fixture;
    return 0;
}

int fixture_drop(void **state)
{
    struct fixture *fixture = *state;
    store_drop(fixture->store);
    sample_remove(fixture->path);
    arena_drop(fixture->arena);
    free(fixture);
    return 0;
}

void put_account(struct store_txn *txn, void *arg)
{
    store_put_account(txn, arg);
}

void put_order(struct store_txn *txn, void *arg)
{
    store_put_order(txn, arg);
}

void put_authorization(struct store_txn *txn, void *arg)
{
    store_put_authorization(txn, arg);
}

void put_certificate(struct store_txn *txn, void *arg)
{
    store_put_certificate(txn, arg);
}

void put_external_key(struct store_txn *txn, void *arg)
{
    store_put_external_key(txn, arg);
}

void put_rate_bucket(struct store_txn *txn, void *arg)
{
    store_put_rate_bucket(txn, arg);
}

void put_rate_override(struct store_txn *txn, void *arg)
{
    store_put_rate_override(txn, arg);
}

void put_webhook_event(struct store_txn *txn, void *arg)
{
    store_put_webhook_event(txn, arg);
}

void put_pause(struct store_txn *txn, void *arg)
{
    store_put_pause(txn, arg);
}

void write_ok(struct fixture *fixture, void (*work)(struct store_txn *, void *), const void *arg)
{
    assert_int_equal(store_write(fixture->store, work, (void *)(uintptr_t)arg), STORE_OK);
}
