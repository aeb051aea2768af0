/* caraway-client load: many clients that get one certificate after the other, and what that took. */
#include "test-client/client.h"
#include "test-client/command.h"
#include "test-client/cpu.h"
#include "test-client/key.h"
#include "test-client/load_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

enum { CLIENTS_MAX = 10000, PATIENCE_S = 30, POLL_MS = 2, NAME_MAX_BYTES = 254, PAUSE_MS = 20, SPARE_CONNECTIONS = 8 };

struct load_options {
    struct tc_client_options client;
    long clients, seconds, count, pid;
    const char *suffix;
    bool json;
};

#define LOAD(field) .offset = offsetof(struct load_options, field)

static const struct tc_option options[] = {
    { "clients", "N", "accounts that issue at the same time (default 1)", TC_OPTION_NUMBER, LOAD(clients), 1,
      CLIENTS_MAX },
    { "seconds", "S", "how long (default 10)", TC_OPTION_NUMBER, LOAD(seconds), 1, 86400 },
    { "count", "N", "stop after this many certificates instead", TC_OPTION_NUMBER, LOAD(count), 1, 1000000000 },
    { "suffix", "NAME", "of the names asked for, load-RUN-N.NAME (default example.test)", TC_OPTION_TEXT,
      LOAD(suffix) },
    { "pid", "PID", "the CA's process: report its processor time, its children's included", TC_OPTION_NUMBER, LOAD(pid),
      1, 4194304 },
    { "json", NULL, "report as JSON", TC_OPTION_FLAG, LOAD(json) },
    TC_CLIENT_OPTION_ROWS(struct load_options, client),
    { "poll", "MS", "between two looks at unfinished work (default 2; the first comes at once)", TC_OPTION_NUMBER,
      LOAD(client.poll_ms), 1, 60000 },
    { "patience", "S", "count a certificate as failed after this time (default 30)", TC_OPTION_NUMBER,
      LOAD(client.patience_s), 1, 86400 },
};

struct load_client {
    struct load *load;
    struct tc_flow *flow;
    struct tc_csr_key *key;
    struct acme_identifier identifier;
    char name[NAME_MAX_BYTES];
    uint64_t started_ns;
    bool busy;
    uv_timer_t pause; /* behind a failure, so that a dead server does not make us spin */
};

struct load {
    const struct load_options *options;
    struct tc_client client;
    struct load_client *clients;
    size_t made, registered;
    bool running;
    uv_timer_t clock;
    char run[9]; /* makes names differ from those of the run before */
    uint64_t issues;
    uint64_t began_ns, client_us, server_us;
    struct tc_load_result result;
    char why[TC_WHY_SIZE]; /* what kept the load from starting */
};

static void load_stop(struct load *load)
{
    load->running = false;
    uv_stop(&load->client.loop);
}

static void client_issue(struct load_client *client)
{
    struct load *load = client->load;
    long count = load->options->count;
    if (count > 0 && load->issues >= (uint64_t)count)
        return;
    snprintf(client->name, sizeof client->name, "load-%s-%" PRIu64 ".%s", load->run, load->issues++,
             load->options->suffix);
    client->identifier = (struct acme_identifier) { IDENTIFIER_DNS, client->name };
    client->started_ns = uv_hrtime();
    client->busy = true;
    tc_flow_issue(client->flow, &(struct tc_flow_order) { &client->identifier, 1, client->key });
}

static void on_pause(uv_timer_t *timer)
{
    client_issue(timer->data);
}

static uint64_t server_us(const struct load *load)
{
    uint64_t us = 0;
    return load->options->pid > 0 && tc_cpu_tree_us(load->options->pid, &us) ? us : 0;
}

static void on_clock(uv_timer_t *timer)
{
    load_stop(timer->data);
}

static void load_begin(struct load *load)
{
    load->running = true;
    load->client_us = tc_cpu_own_us();
    load->server_us = server_us(load);
    load->began_ns = uv_hrtime();
    if (load->options->count == 0)
        uv_timer_start(&load->clock, on_clock, (uint64_t)load->options->seconds * 1000, 0);
    for (size_t i = 0; i < load->made; i++)
        client_issue(&load->clients[i]);
}

static void load_end(struct load *load)
{
    struct tc_load_result *result = &load->result;
    result->elapsed_us = (uv_hrtime() - load->began_ns) / 1000;
    result->client_us = tc_cpu_own_us() - load->client_us;
    uint64_t server = server_us(load);
    result->server_us = server > load->server_us ? server - load->server_us : 0;
    result->clients = load->made;
    for (size_t i = 0; i < load->made; i++)
        result->unfinished += load->clients[i].busy;
}

static void registered(struct load *load, const struct tc_flow *flow)
{
    const struct tc_problem *problem = tc_flow_problem(flow);
    if (problem != NULL) {
        snprintf(load->why, sizeof load->why, "no account: failed at %s: %.80s: %.380s", tc_flow_failed_step(flow),
                 problem->type, problem->detail);
        load_stop(load);
    } else if (++load->registered == load->made) {
        load_begin(load);
    }
}

static void finished(struct load_client *client, const struct tc_flow *flow)
{
    struct load *load = client->load;
    const struct tc_problem *problem = tc_flow_problem(flow);
    client->busy = false;
    if (problem == NULL)
        tc_histogram_add(&load->result.issued, (uv_hrtime() - client->started_ns) / 1000);
    else
        tc_load_count_failure(&load->result, tc_flow_failed_step(flow), problem);
    long count = load->options->count;
    if (count > 0 && load->result.issued.count + load->result.failed == (uint64_t)count)
        load_stop(load);
    else if (problem == NULL)
        client_issue(client);
    else
        uv_timer_start(&client->pause, on_pause, PAUSE_MS, 0);
}

static void on_done(void *arg, struct tc_flow *flow)
{
    struct load_client *client = arg;
    if (client->load->running)
        finished(client, flow);
    else
        registered(client->load, flow);
}

/* Keys are made before the clock starts. */
static bool make_client(struct load *load, struct load_client *client)
{
    AUTO_TYPE(EVP_PKEY) account_key = tc_key_make(TC_KEY_P256);
    AUTO_TYPE(EVP_PKEY) key = tc_key_make(TC_KEY_P256);
    struct tc_flow_events events = { .done = on_done, .arg = client };
    client->load = load;
    client->pause.data = client;
    uv_timer_init(&load->client.loop, &client->pause);
    load->made++;
    TRY(account_key != NULL && key != NULL);
    client->key = tc_csr_key_create(key);
    TRY(client->key != NULL);
    client->flow = tc_flow_create(&load->client.setup, account_key, &events);
    return client->flow != NULL;
}

static bool make_clients(struct load *load)
{
    size_t count = (size_t)load->options->clients;
    load->clients = calloc(count, sizeof *load->clients);
    TRY(load->clients != NULL);
    for (size_t i = 0; i < count; i++)
        TRY(make_client(load, &load->clients[i]));
    return true;
}

static void drop_clients(struct load *load)
{
    for (size_t i = 0; i < load->made; i++) {
        tc_flow_drop(load->clients[i].flow);
        tc_csr_key_drop(load->clients[i].key);
        uv_close((uv_handle_t *)&load->clients[i].pause, NULL);
    }
}

static void load_over_network(struct load *load)
{
    uint32_t chance;
    world_random(world_real(), (uint8_t *)&chance, sizeof chance);
    snprintf(load->run, sizeof load->run, "%08" PRIx32, chance);
    load->clock.data = load;
    uv_timer_init(&load->client.loop, &load->clock);
    if (make_clients(load)) {
        for (size_t i = 0; i < load->made; i++)
            tc_flow_register(load->clients[i].flow);
        uv_run(&load->client.loop, UV_RUN_DEFAULT);
        load_end(load);
    } else {
        snprintf(load->why, sizeof load->why, "out of memory");
    }
    drop_clients(load);
    uv_close((uv_handle_t *)&load->clock, NULL);
}

/* Each client holds a connection, and its challenge is asked for over another. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(const struct tc_command *command, int argc, char **argv)
{
    struct load_options opts = {
        .client = TC_CLIENT_OPTIONS_INIT, .clients = 1, .seconds = 10, .suffix = "example.test"
    };
    opts.client.patience_s = PATIENCE_S;
    opts.client.poll_ms = POLL_MS;
    int exit_code;
    if (!tc_command_options(command, argc, argv, &opts, &exit_code))
        return exit_code;
    allow_many_files();
    struct load load = { .options = &opts };
    if (!tc_client_start(&load.client, &opts.client, opts.clients + SPARE_CONNECTIONS, load.why))
        return tc_command_fail(command, TC_EXIT_FAILED, load.why);
    load_over_network(&load);
    tc_client_stop(&load.client);
    free(load.clients);
    if (load.why[0] != '\0')
        return tc_command_fail(command, TC_EXIT_FAILED, load.why);
    tc_load_print(&load.result, opts.json, stdout);
    return load.result.failed == 0 && load.result.issued.count > 0 ? TC_EXIT_DONE : TC_EXIT_FAILED;
}

const struct tc_command tc_load_command = {
    .name = "load",
    .summary = "issue as fast as the CA can, and report how fast that was",
    .examples = "  caraway-client load --clients 64 --seconds 20 --pid $(pidof caraway)\n"
                "  caraway-client load --clients 8 --count 10000 --challenge dns-01 --json\n",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .run = run,
};
