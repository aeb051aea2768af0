/* Rate limits in transactions: what a request would spend is asked and spent in the job that stores its result, so a
 * refusal spends nothing and a failure gives back what it took. Buckets and overrides are records. Thread-safe. */
#pragma once

#include "acme/problem.h"
#include "base/world.h"
#include "server/limits/limit_table.h"
#include "server/limits/rate.h"
#include "server/settings/settings.h"
#include "storage/store.h"

struct limits;

/* Resolves the preset and the rows set apart; reads the overrides from the store. */
MUST_USE struct limits *limits_create(const struct settings *settings, struct store *store);
void limits_drop(struct limits *limits);
DEFINE_DROP(limits, limits_drop)

const char *limit_name(enum limit limit);
enum limit_whose limit_whose(enum limit limit);
MUST_USE bool limit_from_name(const char *name, enum limit *out);
/* "letsencrypt", …; NULL is the server's. */
MUST_USE bool limit_class_from_text(const char *text, enum limit_class *out);
bool limit_is_of_account(enum limit limit); /* whether a class has a rate of its own */

struct limit_ask {
    enum limit limit;
    const char *subject; /* what the bucket is for: "192.0.2.1", an account id, "example.com" */
    const char *shown;   /* in the problem, where the subject is a hash; else NULL */
    enum limit_class class;
};

/* The rate in force for a subject: an override's, else its class's. */
struct rate limit_rate(const struct limits *limits, const struct limit_ask *ask);
/* Without overrides. */
struct rate limit_common_rate(const struct limits *limits, enum limit limit, enum limit_class class);
/* True when an override names this subject. */
bool limit_is_overridden(const struct limits *limits, enum limit limit, const char *subject);

struct limit_asks {
    struct limit_ask *items;
    size_t count;
};

/* What one bucket holds now. */
struct rate_verdict limit_look(const struct limits *limits, struct store_txn *txn, struct arena *arena,
                               const struct limit_ask *ask, int64_t now_ms, int64_t cost);
/* False: one of them is exhausted; the problem (rateLimited) speaks of the one that stays so for longest. */
MUST_USE bool limits_check(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                           const struct limit_asks *asks, struct acme_problem *problem);
/* Takes one from each that has one. */
void limits_spend(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                  const struct limit_asks *asks);
/* The two in one job, of which the first `spent` are taken from. A refusal spends nothing, and mends buckets that are
 * exhausted for longer than their rate knows. */
MUST_USE bool limits_take(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                          const struct limit_asks *asks, size_t spent, struct acme_problem *problem);

/* In the job that changes the rate of a subject: its bucket keeps what is spent. */
void limit_convert(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                   const struct limit_ask *ask, const struct rate *to);

/* The id of a bucket's record. */
MUST_USE const char *limit_bucket_id(struct arena *arena, enum limit limit, const char *subject);

/* Overrides as they are now in the store; called after each change. */
MUST_USE bool limits_reload(struct limits *limits);
