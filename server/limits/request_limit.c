#include "server/limits/request_limit.h"

#include "base/text.h"
#include "base/crypto.h"
#include "server/caraway.h"
#include "server/limits/limit_subject.h"
#include "server/limits/rate.h"

#include <pthread.h>

/* Sets of a few places: a caller has its place in one of them. A place whose bucket is full again is free; where none
 * is, whoever is nearest to full is forgotten. */
enum { SETS = 8192, PLACES = 8, LOCKS = 64, KEY_BYTES = 32 };

static const struct row {
    const char *segment;
    struct {
        int64_t per_second, at_once;
    } rates[2]; /* letsencrypt, letsencrypt-staging */
} rows[] = {
#define X(segment, production, production_burst, staging, staging_burst)                                               \
    { segment, { { production, production_burst }, { staging, staging_burst } } },
    REQUEST_LIMIT_TABLE(X)
#undef X
};

struct place {
    uint64_t who; /* MAC of caller and row */
    int64_t tat_us;
};

struct request_limits {
    int preset; /* column; -1: none */
    bool exempt_loopback;
    uint8_t key[KEY_BYTES];       /* so that nobody can aim at another's place */
    pthread_mutex_t locks[LOCKS]; /* each guards every LOCKSth set */
    struct place sets[SETS][PLACES];
};

static int preset_of(const struct settings *settings)
{
    static const char *const presets[] = { "letsencrypt", "letsencrypt-staging" };
    if (!settings->limits_requests)
        return -1;
    size_t i = text_index(presets, ARRAY_SIZE(presets), settings->limits_preset);
    return i < ARRAY_SIZE(presets) ? (int)i : -1;
}

struct request_limits *request_limits_create(const struct settings *settings, const struct world *world)
{
    struct request_limits *limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return NULL;
    limits->preset = preset_of(settings);
    limits->exempt_loopback = settings->limits_exempt_loopback;
    world_random(world, limits->key, sizeof limits->key);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&limits->locks[i], NULL);
    return limits;
}

void request_limits_drop(struct request_limits *limits)
{
    if (limits == NULL)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&limits->locks[i]);
    free(limits);
}

static const struct row *row_of(const char *path)
{
    const char *segment = path + (path[0] == '/');
    size_t len = strcspn(segment, "/");
    const struct row *row = rows;
    while (row->segment[0] != '\0' && (strlen(row->segment) != len || memcmp(row->segment, segment, len) != 0))
        row++;
    return row;
}

static uint64_t identity(const struct request_limits *limits, struct arena *arena, const char *caller,
                         const struct row *row)
{
    uint8_t mac[SHA256_BYTES] = { 0 };
    uint64_t who;
    const char *text = arena_printf(arena, "%s/%s", row->segment, caller);
    if (text != NULL)
        crypto_hmac_sha256(bytes_of(limits->key, KEY_BYTES), bytes_text(text), mac);
    memcpy(&who, mac, sizeof who);
    return who;
}

static struct place *place_of(struct place *set, uint64_t who)
{
    struct place *found = set;
    for (size_t i = 0; i < PLACES; i++) {
        if (set[i].who == who)
            return &set[i];
        if (set[i].tat_us < found->tat_us)
            found = &set[i];
    }
    *found = (struct place) { .who = who };
    return found;
}

static struct rate_verdict take(struct request_limits *limits, uint64_t who, const struct rate *rate, int64_t now_us)
{
    size_t set = who % SETS;
    pthread_mutex_t *lock = &limits->locks[set % LOCKS];
    pthread_mutex_lock(lock);
    struct place *place = place_of(limits->sets[set], who);
    struct rate_verdict verdict = rate_ask(rate, place->tat_us, now_us, 1);
    place->tat_us = verdict.tat_us;
    pthread_mutex_unlock(lock);
    return verdict;
}

bool request_limit_pass(struct request *rq)
{
    struct request_limits *limits = rq->caraway->request_limits;
    if (!rq->routes->acme || limits->preset < 0 || (limits->exempt_loopback && limit_caller_is_loopback(rq->peer)))
        return true;
    const struct row *row = row_of(rq->path);
    const char *caller = limit_caller(rq->arena, rq->peer, CALLER_BITS);
    if (caller == NULL)
        return problem_out_of_memory(&rq->problem);
    int64_t per_second = row->rates[limits->preset].per_second, at_once = row->rates[limits->preset].at_once;
    const struct rate rate = { at_once, at_once * 1000000 / per_second };
    struct rate_verdict verdict = take(limits, identity(limits, rq->arena, caller, row), &rate, rq->now_ms * 1000);
    if (verdict.allowed)
        return true;
    problem_fail_status(&rq->problem, PROBLEM_RATE_LIMITED, 503,
                        "Service busy; retry later: more than %lld requests per second to %s from %.60s",
                        (long long)per_second, row->segment[0] != '\0' ? row->segment : "the other resources", caller);
    rq->problem.retry_after_s = (verdict.retry_in_us + 999999) / 1000000;
    rq->problem.help = rq->caraway->settings->limits_help_url;
    return false;
}
