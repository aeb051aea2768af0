/* bench_limits DIRECTORY COUNT: makes COUNT rate limit buckets in a store on disk, each for a domain of its own, and
 * prints in one line: their number, seconds to make them, bytes on disk for each, memory of the process (MB), and
 * microseconds to look at one of them and to take from one, at random, in a transaction that is open anyway. */
#include "server/limits/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { TAKES_A_JOB = 1000, PROBES = 200000, PATH_BYTES = 4096 };

struct bench {
    struct limits *limits;
    struct store *store;
    struct arena *arena;
    uint64_t count, next, passed;
    bool at_random;
};

static uint64_t random_number(void)
{
    uint64_t number;
    world_random(world_real(), (uint8_t *)&number, sizeof number);
    return number;
}

static struct limit_ask ask_of(char subject[static 32], uint64_t number)
{
    snprintf(subject, 32, "d%" PRIu64 ".example", number);
    return (struct limit_ask) { .limit = LIMIT_CERTIFICATES_PER_DOMAIN, .subject = subject };
}

static void take_job(struct store_txn *txn, void *arg)
{
    struct bench *bench = arg;
    struct acme_problem problem;
    char subject[32];
    for (uint64_t i = 0; i < TAKES_A_JOB; i++) {
        struct limit_ask ask = ask_of(subject, bench->at_random ? random_number() % bench->count : bench->next + i);
        const struct limit_asks asks = { &ask, 1 };
        arena_reset(bench->arena);
        bench->passed += limits_take(bench->limits, txn, bench->arena, world_now_ms(world_real()), &asks, 1, &problem);
    }
}

/* Milliseconds. */
static int64_t take(struct bench *bench, uint64_t count)
{
    int64_t began = monotonic_ms();
    for (bench->next = 0; bench->next < count; bench->next += TAKES_A_JOB) {
        if (store_write(bench->store, take_job, bench) != STORE_OK)
            return -1;
    }
    return monotonic_ms() - began;
}

static int64_t look(struct bench *bench)
{
    char subject[32];
    int64_t began = monotonic_ms(), now_ms = world_now_ms(world_real());
    AUTO(store_txn) txn = store_begin_read(bench->store);
    for (int i = 0; txn != NULL && i < PROBES; i++) {
        struct limit_ask ask = ask_of(subject, random_number() % bench->count);
        arena_reset(bench->arena);
        bench->passed += limit_look(bench->limits, txn, bench->arena, &ask, now_ms, 1).allowed;
    }
    return monotonic_ms() - began;
}

static int64_t disk_bytes(const char *directory)
{
    char path[PATH_BYTES];
    struct stat found;
    snprintf(path, sizeof path, "%s/data.mdb", directory);
    return stat(path, &found) == 0 ? found.st_blocks * 512 : 0;
}

static double memory_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return (double)resident * 4096 / 1e6;
}

int main(int argc, char **argv)
{
    char why[SETTINGS_WHY_SIZE];
    struct bench bench = { .arena = arena_create(1 << 20), .count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0 };
    struct setting_flag flag = { "--set", "limits.preset", "letsencrypt" };
    AUTO(settings) settings = settings_read(&(struct settings_sources) { .flags = &flag, .flag_count = 1 }, why);
    if (bench.count == 0 || settings == NULL ||
        store_open(&(struct store_options) { .driver = "lmdb", .path = argv[1] }, &bench.store, why) != STORE_OK)
        return EXIT_FAILURE;
    bench.limits = limits_create(settings, bench.store);
    if (bench.limits == NULL || bench.arena == NULL)
        return EXIT_FAILURE;
    int64_t made_ms = take(&bench, bench.count);
    int64_t look_ms = look(&bench);
    bench.at_random = true;
    int64_t take_ms = take(&bench, PROBES);
    printf("%" PRIu64 " %.1f %.0f %.1f %.2f %.2f\n", bench.count, (double)made_ms / 1e3,
           (double)disk_bytes(argv[1]) / (double)bench.count, memory_mb(), (double)look_ms * 1e3 / PROBES,
           (double)take_ms * 1e3 / PROBES);
    limits_drop(bench.limits);
    store_drop(bench.store);
    arena_drop(bench.arena);
    return bench.passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
