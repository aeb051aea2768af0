/* A store of either driver for one test, and the rows that run a case on both. */
#pragma once

#include "tests/storage/samples.h"

struct fixture {
    const char *driver;
    char path[64];
    struct store *store;
    struct arena *arena;
};

int fixture_make(void **state); /* *state: the driver's name before, the fixture after */
int fixture_drop(void **state);
void fixture_reopen(struct fixture *fixture);
struct store_options fixture_options(const struct fixture *fixture);

#define CASE_ON(driver, name)                                                                                          \
    {                                                                                                                  \
        driver "/" #name, name, fixture_make, fixture_drop, (void *)(uintptr_t)driver                                  \
    }
#define CASE_ON_BOTH(name) CASE_ON("lmdb", name), CASE_ON("memory", name)

void put_account(struct store_txn *txn, void *arg);
void put_order(struct store_txn *txn, void *arg);
void put_authorization(struct store_txn *txn, void *arg);
void put_certificate(struct store_txn *txn, void *arg);
void put_external_key(struct store_txn *txn, void *arg);
void put_rate_bucket(struct store_txn *txn, void *arg);
void put_rate_override(struct store_txn *txn, void *arg);
void put_pause(struct store_txn *txn, void *arg);
void put_webhook_event(struct store_txn *txn, void *arg);
void write_ok(struct fixture *fixture, void (*work)(struct store_txn *, void *), const void *arg);
