#include "server/limits/limit.h"

#include "base/text.h"
#include "base/clock_text.h"
#include "base/encode.h"

#include <pthread.h>
#include <stdio.h>

enum { OVERRIDES_MAX_BYTES = 16 << 20, HASH_BYTES = 16, PAGE = 500 };

enum limit_preset { PRESET_LETSENCRYPT, PRESET_LETSENCRYPT_STAGING, PRESET_PRIVATE, PRESETS };

static const struct {
    const char *name, *rates[PRESETS], *anchor, *sentence;
    unsigned number;
    enum limit_whose whose;
} rows[LIMITS] = {
#define X(id, number, name, whose, production, staging, private, anchor, sentence)                                     \
    [LIMIT_##id] = { name, { production, staging, private }, anchor, sentence, number, LIMIT_OF_##whose },
    LIMIT_TABLE(X)
#undef X
};

struct override {
    enum limit limit;
    const char *subject;
    struct rate rate;
};

struct limits {
    struct rate rates[LIMIT_CLASSES][LIMITS];
    const char *help_url; /* loan */
    struct store *store;
    pthread_mutex_t reloading; /* held from the reading of overrides on, so that no older ones come behind newer */
    pthread_rwlock_t lock;     /* guards everything below */
    struct arena *arena;
    struct override *overrides; /* sorted */
    size_t count;
};

const char *limit_name(enum limit limit)
{
    CHECK(limit < LIMITS);
    return rows[limit].name;
}

enum limit_whose limit_whose(enum limit limit)
{
    CHECK(limit < LIMITS);
    return rows[limit].whose;
}

bool limit_from_name(const char *name, enum limit *out)
{
    for (unsigned i = 0; i < LIMITS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* ---- classes */

static const char *const class_names[LIMIT_CLASSES] = {
#define X(id, name) [LIMIT_CLASS_##id] = name,
    LIMIT_CLASS_TABLE(X)
#undef X
};

bool limit_class_from_text(const char *text, enum limit_class *out)
{
    size_t i = text_index(class_names, LIMIT_CLASSES, text != NULL ? text : "");
    TRY(i < LIMIT_CLASSES);
    *out = (enum limit_class)i;
    return true;
}

bool limit_is_of_account(enum limit limit)
{
    enum limit_whose whose = limit_whose(limit);
    return whose == LIMIT_OF_ACCOUNT || whose == LIMIT_OF_ACCOUNT_NAME || whose == LIMIT_OF_ACCOUNT_DOMAIN;
}

/* ---- rates */

static struct rate preset_rate(const char *preset, enum limit limit)
{
    static const char *const names[] = { "letsencrypt", "letsencrypt-staging", "private" };
    struct rate rate = { 0, 1 };
    size_t i = text_index(names, ARRAY_SIZE(names), preset);
    if (i < ARRAY_SIZE(names))
        CHECK(rate_read(rows[limit].rates[i], &rate));
    return rate;
}

static void set_rates(struct limits *limits, const struct settings *settings)
{
    const char *const own[LIMITS] = {
        settings->limits_new_accounts_per_address,   settings->limits_new_accounts_per_network,
        settings->limits_new_orders_per_account,     settings->limits_failed_authorizations_per_name,
        settings->limits_certificates_per_domain,    settings->limits_certificates_per_domain_and_account,
        settings->limits_certificates_per_exact_set, settings->limits_failed_authorizations_before_pause,
    };
    struct rate *server = limits->rates[LIMIT_CLASS_SERVER];
    for (unsigned i = 0; i < LIMITS; i++) {
        server[i] = preset_rate(settings->limits_preset, i);
        if (own[i][0] != '\0')
            CHECK(rate_read(own[i], &server[i]));
        for (unsigned class = LIMIT_CLASS_SERVER + 1; class < LIMIT_CLASSES; class ++)
            limits->rates[class][i] = limit_is_of_account(i) ? preset_rate(class_names[class], i) : server[i];
    }
}

static int compare_overrides(const void *a, const void *b)
{
    const struct override *x = a, *y = b;
    return x->limit != y->limit ? (x->limit > y->limit) - (x->limit < y->limit) : strcmp(x->subject, y->subject);
}

static bool find_override(const struct limits *limits, enum limit limit, const char *subject, struct rate *out)
{
    const struct override wanted = { .limit = limit, .subject = subject };
    pthread_rwlock_rdlock((pthread_rwlock_t *)&limits->lock);
    const struct override *found = limits->count > 0 ? bsearch(&wanted, limits->overrides, limits->count,
                                                               sizeof *limits->overrides, compare_overrides)
                                                     : NULL;
    if (found != NULL)
        *out = found->rate;
    pthread_rwlock_unlock((pthread_rwlock_t *)&limits->lock);
    return found != NULL;
}

struct rate limit_rate(const struct limits *limits, const struct limit_ask *ask)
{
    struct rate rate = limit_common_rate(limits, ask->limit, ask->class);
    (void)find_override(limits, ask->limit, ask->subject, &rate);
    return rate;
}

struct rate limit_common_rate(const struct limits *limits, enum limit limit, enum limit_class class)
{
    return limits->rates[class][limit];
}

bool limit_is_overridden(const struct limits *limits, enum limit limit, const char *subject)
{
    struct rate rate;
    return find_override(limits, limit, subject, &rate);
}

/* ---- overrides */

static bool read_page(struct store_txn *txn, struct arena *arena, const struct store_page *page,
                      struct override **inout, size_t *inout_count)
{
    struct override *grown = arena_array(arena, *inout_count + page->ids.count, sizeof *grown);
    TRY(grown != NULL);
    if (*inout_count > 0)
        memcpy(grown, *inout, *inout_count * sizeof *grown);
    for (size_t i = 0; i < page->ids.count; i++) {
        struct rate_override record;
        struct override *one = &grown[*inout_count];
        if (store_get_rate_override(txn, arena, page->ids.items[i], &record) &&
            limit_from_name(record.limit, &one->limit) && rate_read(record.rate, &one->rate)) {
            one->subject = record.subject;
            (*inout_count)++;
        }
    }
    *inout = grown;
    return true;
}

static bool reload(struct limits *limits)
{
    AUTO(store_txn) txn = store_begin_read(limits->store);
    AUTO(arena) arena = arena_create(OVERRIDES_MAX_BYTES);
    TRY(txn != NULL && arena != NULL);
    struct override *overrides = NULL;
    size_t count = 0;
    struct store_page page = { 0 };
    do {
        TRY(store_list_all(txn, arena, RECORD_rate_override, page.next, PAGE, false, &page));
        TRY(read_page(txn, arena, &page, &overrides, &count));
    } while (page.next != NULL);
    if (count > 0)
        qsort(overrides, count, sizeof *overrides, compare_overrides);
    pthread_rwlock_wrlock(&limits->lock);
    struct arena *old = limits->arena;
    limits->arena = TAKE(arena);
    limits->overrides = overrides;
    limits->count = count;
    pthread_rwlock_unlock(&limits->lock);
    arena_drop(old);
    return true;
}

bool limits_reload(struct limits *limits)
{
    pthread_mutex_lock(&limits->reloading);
    bool reloaded = reload(limits);
    pthread_mutex_unlock(&limits->reloading);
    return reloaded;
}

struct limits *limits_create(const struct settings *settings, struct store *store)
{
    AUTO(limits) limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return NULL;
    pthread_mutex_init(&limits->reloading, NULL);
    pthread_rwlock_init(&limits->lock, NULL);
    limits->store = store;
    limits->help_url = settings->limits_help_url;
    set_rates(limits, settings);
    return limits_reload(limits) ? TAKE(limits) : NULL;
}

void limits_drop(struct limits *limits)
{
    if (limits == NULL)
        return;
    arena_drop(limits->arena);
    pthread_rwlock_destroy(&limits->lock);
    pthread_mutex_destroy(&limits->reloading);
    free(limits);
}

/* ---- buckets */

const char *limit_bucket_id(struct arena *arena, enum limit limit, const char *subject)
{
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(bytes_text(subject), digest);
    const char *hash = arena_hex(arena, bytes_of(digest, HASH_BYTES));
    return hash != NULL ? arena_printf(arena, "%u.%s", rows[limit].number, hash) : NULL;
}

static bool load_bucket(struct store_txn *txn, struct arena *arena, const struct limit_ask *ask,
                        struct rate_bucket *out)
{
    const char *id = limit_bucket_id(arena, ask->limit, ask->subject);
    if (id == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return false;
    }
    if (!store_get_rate_bucket(txn, arena, id, out))
        *out = (struct rate_bucket) { .id = id, .limit = rows[ask->limit].name, .subject = ask->subject };
    return true;
}

struct rate_verdict limit_look(const struct limits *limits, struct store_txn *txn, struct arena *arena,
                               const struct limit_ask *ask, int64_t now_ms, int64_t cost)
{
    struct rate rate = limit_rate(limits, ask);
    struct rate_bucket bucket = { 0 };
    if (rate.count != 0)
        (void)load_bucket(txn, arena, ask, &bucket);
    return rate_ask(&rate, bucket.full_us, now_ms * 1000, cost);
}

/* As Go prints a duration, for the scripts that look for it: 168h0m0s. */
static void duration_text(int64_t us, char out[static 32])
{
    int64_t s = us / 1000000;
    snprintf(out, 32, "%lldh%lldm%llds", (long long)(s / 3600), (long long)(s / 60 % 60), (long long)(s % 60));
}

static void moment_text(int64_t ms, char out[static TIME_TEXT_SIZE])
{
    time_text(ms, out); /* 2026-11-24T12:58:18Z → 2026-11-24 12:58:18 UTC */
    out[10] = ' ';
    memcpy(out + 19, " UTC", 5);
}

static void refuse(const struct limits *limits, const struct limit_ask *ask, int64_t retry_in_us, int64_t now_ms,
                   struct acme_problem *problem)
{
    struct rate rate = limit_rate(limits, ask);
    char window[32], moment[TIME_TEXT_SIZE];
    int64_t retry_ms = (retry_in_us + 999) / 1000;
    char what[PROBLEM_DETAIL_SIZE / 2];
    duration_text(rate.period_us, window);
    moment_text((now_ms + retry_ms + 999) / 1000 * 1000, moment);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the rows' sentences all take a number and a text */
    snprintf(what, sizeof what, rows[ask->limit].sentence, (long long)rate.count,
             ask->shown != NULL ? ask->shown : ask->subject);
#pragma GCC diagnostic pop
    problem_fail(problem, PROBLEM_RATE_LIMITED, "too many %s in the last %s, retry after %s: see %s#%s", what, window,
                 moment, limits->help_url, rows[ask->limit].anchor);
    problem->retry_after_s = (retry_ms + 999) / 1000;
    problem->help = limits->help_url;
}

/* A bucket as it stands, with what asking for one gives. */
struct asked {
    struct rate_bucket bucket;
    struct rate_verdict verdict;
};

static void ask_one(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                    const struct limit_ask *ask, struct asked *out)
{
    struct rate rate = limit_rate(limits, ask);
    *out = (struct asked) { .bucket = { 0 } };
    if (rate.count != 0)
        (void)load_bucket(txn, arena, ask, &out->bucket);
    out->verdict = rate_ask(&rate, out->bucket.full_us, now_ms * 1000, 1);
}

static void store_one(struct store_txn *txn, struct asked *asked)
{
    if (asked->bucket.id == NULL || asked->verdict.tat_us == asked->bucket.full_us)
        return;
    asked->bucket.full_us = asked->verdict.tat_us;
    store_put_rate_bucket(txn, &asked->bucket);
}

/* The one that stays exhausted for longest, or NULL. */
static const struct limit_ask *worst_of(const struct limit_asks *asks, const struct asked *asked, int64_t *out_retry_us)
{
    const struct limit_ask *worst = NULL;
    *out_retry_us = 0;
    for (size_t i = 0; i < asks->count; i++) {
        const struct rate_verdict *verdict = &asked[i].verdict;
        if (verdict->allowed || verdict->retry_in_us <= *out_retry_us)
            continue;
        worst = &asks->items[i];
        *out_retry_us = verdict->retry_in_us;
    }
    return worst;
}

static bool ask_all(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                    const struct limit_asks *asks, struct asked **out, struct acme_problem *problem)
{
    struct asked *asked = arena_array(arena, asks->count, sizeof *asked);
    int64_t retry_in_us;
    if (asked == NULL)
        return problem_out_of_memory(problem);
    for (size_t i = 0; i < asks->count; i++)
        ask_one(limits, txn, arena, now_ms, &asks->items[i], &asked[i]);
    *out = asked;
    const struct limit_ask *worst = worst_of(asks, asked, &retry_in_us);
    if (worst != NULL)
        refuse(limits, worst, retry_in_us, now_ms, problem);
    return worst == NULL;
}

bool limits_check(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                  const struct limit_asks *asks, struct acme_problem *problem)
{
    struct asked *unused;
    return ask_all(limits, txn, arena, now_ms, asks, &unused, problem);
}

bool limits_take(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                 const struct limit_asks *asks, size_t spent, struct acme_problem *problem)
{
    struct asked *asked = NULL;
    bool passes = ask_all(limits, txn, arena, now_ms, asks, &asked, problem);
    for (size_t i = 0; asked != NULL && i < asks->count; i++) {
        if (passes ? i < spent : !asked[i].verdict.allowed)
            store_one(txn, &asked[i]);
    }
    return passes;
}

void limits_spend(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                  const struct limit_asks *asks)
{
    for (size_t i = 0; i < asks->count; i++) {
        struct asked asked;
        ask_one(limits, txn, arena, now_ms, &asks->items[i], &asked);
        if (asked.verdict.allowed)
            store_one(txn, &asked);
    }
}

void limit_convert(const struct limits *limits, struct store_txn *txn, struct arena *arena, int64_t now_ms,
                   const struct limit_ask *ask, const struct rate *to)
{
    struct rate from = limit_rate(limits, ask);
    struct rate_bucket bucket;
    if (!load_bucket(txn, arena, ask, &bucket) || bucket.full_us == 0)
        return;
    bucket.full_us = rate_convert(&from, to, bucket.full_us, now_ms * 1000);
    store_put_rate_bucket(txn, &bucket);
}
