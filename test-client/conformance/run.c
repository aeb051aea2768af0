/* One run: which checks, what they need, what came out. */
#include "test-client/conformance/run.h"

#include "test-client/conformance/inside.h"

#include "base/world.h"

#include <fnmatch.h>
#include <unistd.h>

enum { RUN_ARENA_MAX = 512 << 20, CHECKS_MAX = 2000 };

static bool is_wanted(const struct cf_settings *settings, const char *id)
{
    if (settings->only != NULL && fnmatch(settings->only, id, 0) != 0)
        return false;
    return settings->skip == NULL || fnmatch(settings->skip, id, 0) != 0;
}

void cf_list(const struct cf_settings *settings, FILE *out)
{
    unsigned count = 0;
    for (const struct cf_group *const *group = cf_groups; *group != NULL; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct cf_check *check = &(*group)->checks[i];
            if (!is_wanted(settings, check->id))
                continue;
            fprintf(out, "%-40s %s %s\n", check->id, check->what, check->requirements);
            count++;
        }
    }
    fprintf(out, "%u checks\n", count);
}

static bool read_directory(struct cf *cf, char why[static TC_WHY_SIZE])
{
    TRY(cf_open(cf, NULL, &cf->visitor) && cf_fetch(cf, "GET", cf->settings->directory_url, NULL));
    if (cf->body == NULL) {
        snprintf(why, TC_WHY_SIZE, "the directory is no JSON object");
        return false;
    }
    cf->directory = cf->body;
    cf->meta = json_object_get(cf->directory, "meta");
    if (!json_is_object(cf->meta)) {
        cf->meta = json_object();
        CHECK(cf->meta != NULL && json_object_set_new(cf->directory, "meta", cf->meta) == 0);
    }
    return true;
}

static void begin_check(struct cf *cf, const struct cf_check *check)
{
    cf->check = check;
    cf->answer = NULL;
    cf->body = NULL;
    cf->inside->decided = false;
    cf->inside->outcome = CF_PASSED;
    cf->inside->method = NULL;
    cf->inside->why[0] = '\0';
    buf_clear(&cf->inside->shown);
}

/* On a terminal the line of the running check gives way to its result. */
static void say_begin(const struct cf_check *check)
{
    if (isatty(STDOUT_FILENO) == 1)
        printf("%-11s %s\r", "…", check->id);
    fflush(stdout);
}

static void say_end(const struct cf *cf, const struct cf_result *result)
{
    if (isatty(STDOUT_FILENO) == 1)
        fputs("\033[K", stdout);
    printf("%-11s %s: %s\n", cf_outcome_texts[result->outcome], result->check->id, result->check->what);
    if (result->outcome == CF_FAILED)
        printf("    %s %s\n%s", cf->inside->why, result->check->requirements, result->shown);
    else if (result->outcome == CF_NOT_OFFERED && cf->settings->verbose)
        printf("    %s\n", cf->inside->why);
    fflush(stdout);
}

static void run_check(struct cf *cf, const struct cf_group *group, const struct cf_check *check,
                      struct cf_result *result)
{
    begin_check(cf, check);
    say_begin(check);
    int64_t began = monotonic_ms();
    bool good = cf_prepare(cf, check->needs) && check->run(cf);
    if (!good)
        cf_fail(cf, "the check says no more"); /* unless it is decided */
    *result = (struct cf_result) { group, check, cf->inside->outcome, monotonic_ms() - began, NULL, NULL };
    if (result->outcome != CF_PASSED)
        result->why = cf_print(cf, "%s", cf->inside->why);
    if (result->outcome == CF_FAILED)
        result->shown = cf_print(cf, "%s", buf_str(&cf->inside->shown));
    say_end(cf, result);
    cf_things_drop(&cf->inside->of_check);
}

static bool run_checks(struct cf *cf, bool *out_passed, char why[static TC_WHY_SIZE])
{
    struct cf_result *results = arena_array(cf->arena, CHECKS_MAX, sizeof *results);
    CHECK(results != NULL);
    size_t count = 0;
    bool passed = true;
    for (const struct cf_group *const *group = cf_groups; *group != NULL; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            if (!is_wanted(cf->settings, (*group)->checks[i].id))
                continue;
            CHECK(count < CHECKS_MAX);
            run_check(cf, *group, &(*group)->checks[i], &results[count]);
            passed = passed && results[count].outcome != CF_FAILED;
            count++;
        }
    }
    cf_report_table(results, count, stdout);
    TRY(cf->settings->json == NULL || cf_report_json(cf, results, count, why));
    TRY(cf->settings->junit == NULL || cf_report_junit(cf, results, count, why));
    *out_passed = passed;
    return true;
}

static bool begin_run(struct cf *cf, char why[static TC_WHY_SIZE])
{
    const struct cf_settings *settings = cf->settings;
    struct cf_prover_options options = { settings->http_port, settings->tls_port, settings->dns_port, settings->address,
                                         settings->challtestsrv };
    uint8_t run[4];
    world_random(world_real(), run, sizeof run);
    snprintf(cf->inside->run, sizeof cf->inside->run, "%02x%02x%02x%02x", run[0], run[1], run[2], run[3]);
    TRY(cf_prover_start(&options, &cf->prover, why));
    cf->inside->keep = &cf->inside->of_run;
    bool read = read_directory(cf, why);
    cf->inside->keep = &cf->inside->of_check;
    if (!read && cf->inside->decided)
        snprintf(why, TC_WHY_SIZE, "%.*s", TC_WHY_SIZE - 1, cf->inside->why);
    return read;
}

bool cf_run(const struct cf_settings *settings, bool *out_passed, char why[static TC_WHY_SIZE])
{
    AUTO(arena) arena = arena_create(RUN_ARENA_MAX);
    struct cf_inside inside = { .shown = BUF_INIT(CF_SHOWN_MAX) };
    struct cf cf = { .settings = settings, .arena = arena, .inside = &inside };
    CHECK(arena != NULL);
    bool done = begin_run(&cf, why) && run_checks(&cf, out_passed, why);
    cf_things_drop(&inside.of_check);
    cf_things_drop(&inside.of_run);
    buf_free(&inside.shown);
    cf_prover_drop(cf.prover);
    return done;
}
