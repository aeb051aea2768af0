#include "validators/outgoing.h"
#include "base/text.h"
#include "validators/worker.h"

#include <stdatomic.h>
#include <stdio.h>

struct validators {
    struct val_shared shared;
    atomic_uint next; /* whose turn it is */
    unsigned count;   /* workers that run */
    struct val_worker workers[];
};

static bool fail(char why[static VALIDATORS_WHY_SIZE], const char *what)
{
    snprintf(why, VALIDATORS_WHY_SIZE, "%s", what);
    return false;
}

void validators_drop(struct validators *validators)
{
    if (validators == NULL)
        return;
    while (validators->count > 0)
        val_worker_stop(&validators->workers[--validators->count]);
    val_hosts_drop(validators->shared.hosts);
    val_reserve_drop(validators->shared.reserve);
    val_gate_drop(validators->shared.gate);
    pthread_mutex_destroy(&validators->shared.resolver_setup);
    free((char *)validators->shared.options.dns_server);
    free((char *)validators->shared.options.dns_trust_anchor);
    free((char *)validators->shared.options.user_agent);
    free(validators);
}

static bool copy_text(const char *text, const char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

static bool copy_options(struct val_shared *shared, const struct validators_options *options,
                         char why[static VALIDATORS_WHY_SIZE])
{
    shared->options = *options;
    shared->options.hosts = NULL;
    shared->options.allow_addresses = NULL;
    shared->options.user_agent = NULL;
    shared->options.dns_server = shared->options.dns_trust_anchor = NULL;
    if (!copy_text(options->user_agent, &shared->options.user_agent) ||
        !copy_text(options->dns_server, &shared->options.dns_server) ||
        !copy_text(options->dns_trust_anchor, &shared->options.dns_trust_anchor))
        return fail(why, "out of memory");
    TRY(val_dns_plan_make(&shared->options, &shared->dns_plan, why));
    if (!val_gate_make(world_real(), options->max_in_flight, options->max_per_account, options->max_per_name,
                       &shared->gate))
        return fail(why, "out of memory");
    TRY(val_reserve_make(options->allow_addresses, options->allow_address_count, &shared->reserve, why));
    return val_hosts_make(options->hosts, options->host_count, &shared->hosts, why);
}

bool validators_open(const struct validators_options *options, struct validators **out,
                     char why[static VALIDATORS_WHY_SIZE])
{
    CHECK(options->threads > 0);
    AUTO(validators)
    validators = calloc(1, sizeof *validators + options->threads * sizeof validators->workers[0]);
    if (validators == NULL)
        return fail(why, "out of memory");
    pthread_mutex_init(&validators->shared.resolver_setup, NULL);
    TRY(copy_options(&validators->shared, options, why));
    for (; validators->count < options->threads; validators->count++)
        if (!val_worker_start(&validators->workers[validators->count], &validators->shared))
            return fail(why, "a validator thread cannot be started");
    *out = TAKE(validators);
    return true;
}

bool caa_mode_from_text(const char *text, enum caa_mode *out)
{
    static const char *const texts[] = {
#define X(name, text) [CAA_##name] = text,
        CAA_MODE_TABLE(X)
#undef X
    };
    size_t i = text_index(texts, ARRAY_SIZE(texts), text);
    TRY(i < ARRAY_SIZE(texts));
    *out = (enum caa_mode)i;
    return true;
}

static void give(struct validators *validators, struct validation *validation)
{
    struct validation *next = val_gate_enter(validators->shared.gate, validation);
    while (next != NULL) {
        struct validation *one = next;
        next = one->queued_next;
        unsigned turn = atomic_fetch_add_explicit(&validators->next, 1, memory_order_relaxed);
        val_worker_give(&validators->workers[turn % validators->count], one);
    }
}

void validators_start(struct validators *validators, struct validation *validation)
{
    validation->caa_alone = false;
    give(validators, validation);
}

void validators_check_caa(struct validators *validators, struct validation *validation)
{
    validation->caa_alone = true;
    give(validators, validation);
}

bool validators_have_room(const struct validators *validators)
{
    return val_outgoing_room(validators->shared.options.files_below);
}
