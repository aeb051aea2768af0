/* caraway-client load: many clients that get one certificate after the other, and what that took. */
#include "test-client/client.h"
#include "test-client/command.h"
#include "test-client/cpu.h"
#include "test-client/key.h"
#include "test-client/load_record.h"
#include "test-client/load_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { ONLY_NOTHING = -1 };
enum {
    CLIENTS_MAX = 10000,
    NAMES_MAX = 100,
    RATE_MAX = 100000,
    PATIENCE_S = 30,
    POLL_MS = 2,
    NAME_MAX_BYTES = 254,
    URL_MAX_BYTES = 512,
    PAUSE_MS = 20,
    SPARE_CONNECTIONS = 8
};

struct load_options {
    struct tc_client_options client;
    long clients, seconds, count, rate, names, pid;
    int account_key, key, only;
    const char *suffix, *record;
    bool renew, json;
};

#define LOAD(field) .offset = offsetof(struct load_options, field)

static const struct tc_option options[] = {
    { "clients", "N", "accounts that issue at the same time (default 1)", TC_OPTION_NUMBER, LOAD(clients), 1,
      CLIENTS_MAX },
    { "seconds", "S", "how long (default 10)", TC_OPTION_NUMBER, LOAD(seconds), 1, 86400 },
    { "count", "N", "stop after this many certificates instead", TC_OPTION_NUMBER, LOAD(count), 1, 1000000000 },
    { "rate", "R", "begin this many a second, whether or not those before have ended (default: one behind the other)",
      TC_OPTION_NUMBER, LOAD(rate), 1, RATE_MAX },
    { "only", "STEP", "repeat this step alone of what a certificate takes", TC_OPTION_CHOICE, LOAD(only),
      .choices = tc_flow_step_names },
    { "renew", NULL, "each client asks for the same name again, so that what was proved may be used again",
      TC_OPTION_FLAG, LOAD(renew) },
    { "account-key", "TYPE", "p-256 (default) or rsa-2048", TC_OPTION_CHOICE, LOAD(account_key),
      .choices = tc_key_names },
    { "key", "TYPE", "of certificates: p-256 (default) or rsa-2048", TC_OPTION_CHOICE, LOAD(key),
      .choices = tc_key_names },
    { "names", "N", "in each certificate (default 1)", TC_OPTION_NUMBER, LOAD(names), 1, NAMES_MAX },
    { "suffix", "NAME", "of the names asked for: load-RUN-N.NAME, 2.load-RUN-N.NAME … (default example.test)",
      TC_OPTION_TEXT, LOAD(suffix) },
    { "pid", "PID", "the CA's process: report its processor time, its children's included", TC_OPTION_NUMBER, LOAD(pid),
      1, 4194304 },
    { "record", "FILE", "append a line for each object that the CA acknowledged, with the certificates", TC_OPTION_TEXT,
      LOAD(record) },
    { "json", NULL, "report as JSON", TC_OPTION_FLAG, LOAD(json) },
    { "connections", "HOW", "keep (default), new: one for each request, or resume: the same with TLS sessions",
      TC_OPTION_CHOICE, LOAD(client.connections), .choices = tc_connections_names },
    TC_CLIENT_OPTION_ROWS(struct load_options, client),
    { "poll", "MS", "between two looks at unfinished work (default 2; the first comes after half of it)",
      TC_OPTION_NUMBER, LOAD(client.poll_ms), 1, 60000 },
    { "patience", "S", "count a certificate as failed after this time (default 30)", TC_OPTION_NUMBER,
      LOAD(client.patience_s), 1, 86400 },
};

struct load_client {
    struct load *load;
    struct tc_flow *flow;
    struct tc_csr_key *key;
    struct acme_identifier *identifiers; /* options->names of them, over names */
    char (*names)[NAME_MAX_BYTES];
    char certificate_url[URL_MAX_BYTES];
    uint64_t started_ns; /* with a rate: when it was due, so that a server that lags cannot hide it */
    bool ready, busy;    /* ready: what is repeated has been prepared */
    struct load_client *next_idle;
    uv_timer_t pause; /* behind a failure, so that a dead server does not make us spin */
};

struct load {
    const struct load_options *options;
    struct tc_client client;
    struct load_client *clients;
    struct load_client *idle; /* with a rate: who waits for something to be due */
    size_t made, ready;
    bool running;
    uv_timer_t clock;
    int pace; /* a timer of the kernel's that fires once for each that is due, or -1 */
    uv_poll_t pace_poll;
    char run[9]; /* makes names differ from those of the run before */
    uint64_t issues;
    uint64_t began_ns, client_us, server_us, requests;
    FILE *record; /* or NULL */
    struct tc_load_result result;
    char why[TC_WHY_SIZE]; /* what kept the load from starting */
};

static void load_stop(struct load *load)
{
    load->running = false;
    uv_stop(&load->client.loop);
}

/* When number `index` of the run is due; without a rate, now. */
static uint64_t due_ns(const struct load *load, uint64_t index)
{
    long rate = load->options->rate;
    return rate > 0 ? load->began_ns + index * 1000000000 / (uint64_t)rate : uv_hrtime();
}

static bool counted_out(const struct load *load)
{
    return load->options->count > 0 && load->issues >= (uint64_t)load->options->count;
}

static void client_name(struct load_client *client)
{
    struct load *load = client->load;
    uint64_t number = load->options->renew ? (uint64_t)(client - load->clients) : load->issues;
    for (long i = 0; i < load->options->names; i++) {
        char label[24] = "";
        if (i > 0)
            snprintf(label, sizeof label, "%ld.", i + 1);
        snprintf(client->names[i], NAME_MAX_BYTES, "%sload-%s-%" PRIu64 ".%s", label, load->run, number,
                 load->options->suffix);
    }
}

static bool repeats_account(const struct load *load)
{
    return load->options->only != ONLY_NOTHING && strcmp(tc_flow_step_names[load->options->only], "account") == 0;
}

static bool client_new_key(struct load_client *client)
{
    AUTO_TYPE(EVP_PKEY) key = tc_key_make((enum tc_key_type)client->load->options->account_key);
    return key != NULL && tc_flow_set_key(client->flow, key);
}

static void client_issue(struct load_client *client)
{
    int only = client->load->options->only;
    client_name(client);
    struct tc_flow_order order = { client->identifiers, (size_t)client->load->options->names, client->key };
    if (!client->ready || only == ONLY_NOTHING)
        tc_flow_issue(client->flow, &order);
    else
        tc_flow_repeat(client->flow, only, &order);
}

static void client_next(struct load_client *client)
{
    struct load *load = client->load;
    if (counted_out(load))
        return;
    uint64_t due = due_ns(load, load->issues);
    if (due > uv_hrtime()) {
        client->next_idle = load->idle;
        load->idle = client;
        return;
    }
    /* a new account is a new key, which takes its time before the clock starts */
    if (repeats_account(load) && !client_new_key(client))
        return;
    client->started_ns = load->options->rate > 0 ? due : uv_hrtime();
    client->busy = true;
    client_issue(client);
    load->issues++;
}

static void on_pause(uv_timer_t *timer)
{
    client_next(timer->data);
}

static void on_pace(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct load *load = poll->data;
    uint64_t expirations;
    if (read(load->pace, &expirations, sizeof expirations) != sizeof expirations)
        return;
    while (load->idle != NULL && due_ns(load, load->issues) <= uv_hrtime() && !counted_out(load)) {
        struct load_client *client = load->idle;
        load->idle = client->next_idle;
        client_next(client);
    }
}

static void pace_begin(struct load *load)
{
    long interval_ns = 1000000000 / load->options->rate;
    struct timespec interval = { .tv_sec = interval_ns / 1000000000, .tv_nsec = interval_ns % 1000000000 };
    struct itimerspec every = { interval, interval };
    timerfd_settime(load->pace, 0, &every, NULL);
    uv_poll_start(&load->pace_poll, UV_READABLE, on_pace);
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
    load->requests = tc_fetcher_started(load->client.fetcher);
    load->server_us = server_us(load);
    load->began_ns = uv_hrtime();
    if (load->options->count == 0)
        uv_timer_start(&load->clock, on_clock, (uint64_t)load->options->seconds * 1000, 0);
    for (size_t i = 0; i < load->made; i++)
        client_next(&load->clients[i]);
    if (load->options->rate > 0)
        pace_begin(load);
}

/* With a rate, what was due and had to wait for a client when time was up. */
static uint64_t overdue(const struct load *load)
{
    uint64_t due = load->result.elapsed_us * (uint64_t)load->options->rate / 1000000;
    return load->options->count == 0 && due > load->issues ? due - load->issues : 0;
}

static void load_end(struct load *load)
{
    struct tc_load_result *result = &load->result;
    result->elapsed_us = (uv_hrtime() - load->began_ns) / 1000;
    result->client_us = tc_cpu_own_us() - load->client_us;
    uint64_t server = server_us(load);
    result->server_us = server > load->server_us ? server - load->server_us : 0;
    result->requests = tc_fetcher_started(load->client.fetcher) - load->requests;
    result->clients = load->made;
    result->unfinished = overdue(load);
    if (load->options->only != ONLY_NOTHING)
        result->unit = "request";
    for (size_t i = 0; i < load->made; i++)
        result->unfinished += load->clients[i].busy;
}

/* An account, and with `--only` a whole certificate: what a client has before the clock starts. */
static void prepared(struct load_client *client, const struct tc_flow *flow)
{
    struct load *load = client->load;
    const struct tc_problem *problem = tc_flow_problem(flow);
    if (problem != NULL) {
        snprintf(load->why, sizeof load->why, "nothing to begin with: failed at %s: %.80s: %.380s",
                 tc_flow_failed_step(flow), problem->type, problem->detail);
        load_stop(load);
        return;
    }
    client->ready = true;
    if (++load->ready == load->made)
        load_begin(load);
}

static void finished(struct load_client *client, const struct tc_flow *flow)
{
    struct load *load = client->load;
    const struct tc_problem *problem = tc_flow_problem(flow);
    client->busy = false;
    if (problem == NULL)
        tc_load_count_issued(&load->result, (uv_hrtime() - client->started_ns) / 1000, tc_flow_times(flow));
    else
        tc_load_count_failure(&load->result, tc_flow_failed_step(flow), problem);
    long count = load->options->count;
    if (count > 0 && load->result.issued.count + load->result.failed == (uint64_t)count)
        load_stop(load);
    else if (problem == NULL)
        client_next(client);
    else
        uv_timer_start(&client->pause, on_pause, PAUSE_MS, 0);
}

static void on_progress(void *arg, const char *step, const char *text)
{
    struct load_client *client = arg;
    if (client->load->record == NULL)
        return;
    tc_load_record_progress(client->load->record, step, text, client->names[0]);
    if (strcmp(step, "certificate") == 0)
        snprintf(client->certificate_url, sizeof client->certificate_url, "%s", text);
}

static void on_done(void *arg, struct tc_flow *flow)
{
    struct load_client *client = arg;
    bool issued = tc_flow_problem(flow) == NULL && client->load->running;
    if (issued && client->load->record != NULL)
        tc_load_record_certificate(client->load->record, client->certificate_url, client->names[0],
                                   tc_flow_chain(flow));
    (client->load->running ? finished : prepared)(client, flow);
}

static bool make_names(struct load_client *client)
{
    size_t count = (size_t)client->load->options->names;
    client->names = calloc(count, sizeof *client->names);
    client->identifiers = calloc(count, sizeof *client->identifiers);
    TRY(client->names != NULL && client->identifiers != NULL);
    for (size_t i = 0; i < count; i++)
        client->identifiers[i] = (struct acme_identifier) { IDENTIFIER_DNS, client->names[i] };
    return true;
}

/* Keys are made before the clock starts. */
static bool make_client(struct load *load, struct load_client *client)
{
    AUTO_TYPE(EVP_PKEY) account_key = tc_key_make((enum tc_key_type)load->options->account_key);
    AUTO_TYPE(EVP_PKEY) key = tc_key_make((enum tc_key_type)load->options->key);
    struct tc_flow_events events = { .progress = on_progress, .done = on_done, .arg = client };
    client->load = load;
    client->pause.data = client;
    uv_timer_init(&load->client.loop, &client->pause);
    load->made++;
    TRY(account_key != NULL && key != NULL && make_names(client));
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
        free(load->clients[i].identifiers);
        free(load->clients[i].names);
        uv_close((uv_handle_t *)&load->clients[i].pause, NULL);
    }
}

static bool make_clocks(struct load *load)
{
    load->clock.data = load->pace_poll.data = load;
    uv_timer_init(&load->client.loop, &load->clock);
    load->pace = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return load->pace >= 0 && uv_poll_init(&load->client.loop, &load->pace_poll, load->pace) == 0;
}

static void drop_clocks(struct load *load)
{
    uv_close((uv_handle_t *)&load->clock, NULL);
    if (load->pace_poll.type == UV_POLL)
        uv_close((uv_handle_t *)&load->pace_poll, NULL);
}

static void prepare(struct load *load)
{
    for (size_t i = 0; i < load->made; i++) {
        if (load->options->only == ONLY_NOTHING)
            tc_flow_register(load->clients[i].flow);
        else
            client_issue(&load->clients[i]);
    }
}

static void load_over_network(struct load *load)
{
    uint32_t chance;
    world_random(world_real(), (uint8_t *)&chance, sizeof chance);
    snprintf(load->run, sizeof load->run, "%08" PRIx32, chance);
    if (make_clocks(load) && make_clients(load)) {
        prepare(load);
        uv_run(&load->client.loop, UV_RUN_DEFAULT);
        load_end(load);
    } else {
        snprintf(load->why, sizeof load->why, "out of memory or of files");
    }
    drop_clients(load);
    drop_clocks(load);
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
    struct load_options opts = { .client = TC_CLIENT_OPTIONS_INIT,
                                 .clients = 1,
                                 .seconds = 10,
                                 .names = 1,
                                 .only = ONLY_NOTHING,
                                 .suffix = "example.test" };
    opts.client.patience_s = PATIENCE_S;
    opts.client.poll_ms = POLL_MS;
    int exit_code;
    if (!tc_command_options(command, argc, argv, &opts, &exit_code))
        return exit_code;
    allow_many_files();
    struct load load = { .options = &opts, .pace = -1 };
    if (opts.record != NULL && (load.record = tc_load_record_open(opts.record)) == NULL)
        return tc_command_fail(command, TC_EXIT_FAILED, strerror(errno));
    if (!tc_client_start(&load.client, &opts.client, opts.clients + SPARE_CONNECTIONS, load.why))
        return tc_command_fail(command, TC_EXIT_FAILED, load.why);
    load_over_network(&load);
    tc_client_stop(&load.client);
    if (load.pace >= 0)
        close(load.pace);
    if (load.record != NULL)
        fclose(load.record);
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
                "  caraway-client load --clients 8 --count 10000 --challenge dns-01 --json\n"
                "  caraway-client load --rate 100 --clients 500\n"
                "  caraway-client load --only order --clients 8\n",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .run = run,
};
