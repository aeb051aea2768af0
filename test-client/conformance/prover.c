#include "test-client/conformance/prover.h"

#include "base/json.h"

#include "test-client/dns_rdata.h"
#include "test-client/dns_server.h"
#include "test-client/http01.h"
#include "test-client/tls_alpn01.h"
#include "test-client/tls_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

enum { TXT_RDATA_MAX = 4096, ORDER_MAX = 8192, MANAGEMENT_TIMEOUT_S = 10, ARENA_MAX = 4096 };

/* The servers belong to the loop's thread. What others ask for is a task that runs there while they wait. */
struct task {
    bool (*run)(struct cf_prover *prover, const struct task *task);
    enum acme_challenge_type type;
    const char *name, *token, *content;
    const struct tls_alpn01_flaws *flaws;
};

struct cf_prover {
    bool can[CHALLENGE_TYPES];

    uv_thread_t thread;
    bool running;
    uv_loop_t loop;
    uv_async_t wake;
    uv_sem_t done;
    const struct task *task; /* handed over by wake, given back by done; NULL asks the thread to end */
    bool task_result;
    struct http01 *http_answers;
    struct http_server *http;
    struct mock_zone *zone;
    struct dns_server *dns;
    struct tls_alpn01 *tls_answers;
    struct tls_server *tls;

    const char *challtestsrv;
    struct tc_exchange *exchange;
};

static bool say(char why[static TC_WHY_SIZE], const char *what)
{
    snprintf(why, TC_WHY_SIZE, "%s", what);
    return false;
}

/* --- on the loop's thread --- */

static bool add_txt(struct cf_prover *prover, const char *name, const char *value)
{
    AUTO_BUF(rdata, TXT_RDATA_MAX);
    return dns_rdata_txt(bytes_text(value), &rdata) && mock_zone_add(prover->zone, name, DNS_TXT, buf_bytes(&rdata));
}

static bool run_answer(struct cf_prover *prover, const struct task *task)
{
    if (task->type == CHALLENGE_HTTP_01)
        return http01_put(prover->http_answers, task->token, task->content);
    return tls_alpn01_put(prover->tls_answers, task->name, task->content);
}

static bool run_flawed(struct cf_prover *prover, const struct task *task)
{
    return tls_alpn01_put_flawed(prover->tls_answers, task->name, task->content, task->flaws);
}

static bool run_txt(struct cf_prover *prover, const struct task *task)
{
    return add_txt(prover, task->name, task->content);
}

static bool run_clear_txt(struct cf_prover *prover, const struct task *task)
{
    mock_zone_clear(prover->zone, task->name, DNS_TXT);
    return true;
}

static void close_servers(struct cf_prover *prover)
{
    http_server_drop(TAKE(prover->http));
    dns_server_drop(TAKE(prover->dns));
    tls_server_drop(TAKE(prover->tls));
    uv_close((uv_handle_t *)&prover->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
    struct cf_prover *prover = wake->data;
    if (prover->task == NULL) {
        close_servers(prover);
        return;
    }
    prover->task_result = prover->task->run(prover, prover->task);
    uv_sem_post(&prover->done);
}

static void run_loop(void *arg)
{
    struct cf_prover *prover = arg;
    uv_run(&prover->loop, UV_RUN_DEFAULT);
}

/* --- on the caller's --- */

static bool hand_over(struct cf_prover *prover, const struct task *task)
{
    prover->task = task;
    uv_async_send(&prover->wake);
    uv_sem_wait(&prover->done);
    return prover->task_result;
}

static bool address_of(const struct cf_prover_options *options, long port, struct sockaddr_storage *out,
                       char why[static TC_WHY_SIZE])
{
    struct listen_address at = { .port = (uint16_t)port };
    snprintf(at.host, sizeof at.host, "%s", options->address);
    char reason[LISTEN_WHY_SIZE];
    return listen_address_resolve(&at, out, reason) || say(why, reason);
}

/* All names lead to where we listen, so that our DNS server serves the other types as well. */
static bool lead_here(struct mock_zone *zone, const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return mock_zone_set_default(
            zone, DNS_A, bytes_of(&((const struct sockaddr_in *)address)->sin_addr, sizeof(struct in_addr)));
    return mock_zone_set_default(zone, DNS_AAAA,
                                 bytes_of(&((const struct sockaddr_in6 *)address)->sin6_addr, sizeof(struct in6_addr)));
}

static bool start_http(struct cf_prover *prover, const struct cf_prover_options *options, char why[static TC_WHY_SIZE])
{
    struct sockaddr_storage address;
    char reason[LISTEN_WHY_SIZE];
    prover->http_answers = http01_create(404);
    TRY(address_of(options, options->http_port, &address, why));
    if (prover->http_answers == NULL)
        return say(why, "out of memory");
    return http_server_start(&prover->loop, &address, NULL, http01_answer, prover->http_answers, &prover->http,
                             reason) ||
           say(why, reason);
}

static bool start_tls(struct cf_prover *prover, const struct cf_prover_options *options, char why[static TC_WHY_SIZE])
{
    struct sockaddr_storage address;
    char reason[LISTEN_WHY_SIZE];
    prover->tls_answers = tls_alpn01_create();
    TRY(address_of(options, options->tls_port, &address, why));
    if (prover->tls_answers == NULL)
        return say(why, "out of memory");
    return tls_server_start(&prover->loop, &address, tls_alpn01_context(prover->tls_answers), &prover->tls, reason) ||
           say(why, reason);
}

static bool start_dns(struct cf_prover *prover, const struct cf_prover_options *options, char why[static TC_WHY_SIZE])
{
    struct sockaddr_storage address;
    char reason[LISTEN_WHY_SIZE];
    prover->zone = mock_zone_create();
    TRY(address_of(options, options->dns_port, &address, why));
    if (prover->zone == NULL || !lead_here(prover->zone, &address))
        return say(why, "out of memory");
    return dns_server_start(&prover->loop, &address, dns_answer_from_zone, prover->zone, &prover->dns, reason) ||
           say(why, reason);
}

static bool start_servers(struct cf_prover *prover, const struct cf_prover_options *options,
                          char why[static TC_WHY_SIZE])
{
    TRY(options->http_port == 0 || start_http(prover, options, why));
    TRY(options->tls_port == 0 || start_tls(prover, options, why));
    TRY(options->dns_port == 0 || start_dns(prover, options, why));
    prover->can[CHALLENGE_HTTP_01] = prover->http != NULL;
    prover->can[CHALLENGE_TLS_ALPN_01] = prover->tls != NULL;
    prover->can[CHALLENGE_DNS_01] = prover->dns != NULL;
    return true;
}

static bool start_thread(struct cf_prover *prover, const struct cf_prover_options *options,
                         char why[static TC_WHY_SIZE])
{
    CHECK(uv_loop_init(&prover->loop) == 0 && uv_sem_init(&prover->done, 0) == 0);
    CHECK(uv_async_init(&prover->loop, &prover->wake, on_wake) == 0);
    prover->wake.data = prover;
    prover->running = start_servers(prover, options, why) &&
                      (uv_thread_create(&prover->thread, run_loop, prover) == 0 || say(why, "no thread can be had"));
    if (!prover->running) {
        close_servers(prover);
        uv_run(&prover->loop, UV_RUN_DEFAULT);
        uv_sem_destroy(&prover->done);
        CHECK(uv_loop_close(&prover->loop) == 0);
    }
    return prover->running;
}

static bool use_challtestsrv(struct cf_prover *prover, const char *url, char why[static TC_WHY_SIZE])
{
    struct tc_exchange_options options = { .protocols = "https,http", .timeout_s = MANAGEMENT_TIMEOUT_S };
    prover->challtestsrv = url;
    prover->exchange = tc_exchange_create(&options);
    prover->can[CHALLENGE_HTTP_01] = prover->can[CHALLENGE_DNS_01] = prover->can[CHALLENGE_TLS_ALPN_01] = true;
    return prover->exchange != NULL || say(why, "out of memory");
}

bool cf_prover_start(const struct cf_prover_options *options, struct cf_prover **out, char why[static TC_WHY_SIZE])
{
    AUTO(cf_prover) prover = calloc(1, sizeof *prover);
    if (prover == NULL)
        return say(why, "out of memory");
    TRY(options->challtestsrv != NULL ? use_challtestsrv(prover, options->challtestsrv, why)
                                      : start_thread(prover, options, why));
    *out = TAKE(prover);
    return true;
}

void cf_prover_drop(struct cf_prover *prover)
{
    if (prover == NULL)
        return;
    if (prover->running) {
        prover->task = NULL;
        uv_async_send(&prover->wake);
        uv_thread_join(&prover->thread);
        uv_sem_destroy(&prover->done);
        CHECK(uv_loop_close(&prover->loop) == 0);
    }
    http01_drop(prover->http_answers);
    mock_zone_drop(prover->zone);
    tls_alpn01_drop(prover->tls_answers);
    tc_exchange_drop(prover->exchange);
    free(prover);
}

bool cf_prover_can(const struct cf_prover *prover, enum acme_challenge_type type)
{
    return prover->can[type];
}

/* One order to a challtestsrv: two members at most, the second may be NULL. */
static bool order(struct cf_prover *prover, const char *path, const char *const members[static 4])
{
    AUTO_BUF(body, ORDER_MAX);
    AUTO_BUF(url, ORDER_MAX);
    struct json_out json = JSON_OUT(&body, 0);
    json_out_object(&json, NULL);
    for (size_t i = 0; i < 4 && members[i] != NULL; i += 2)
        json_out_text(&json, members[i], members[i + 1]);
    json_out_end_object(&json);
    buf_printf(&url, "%s%s", prover->challtestsrv, path);
    struct tc_exchange_request request = { .method = "POST", .url = buf_str(&url), .body = buf_bytes(&body) };
    char why[TC_WHY_SIZE];
    return !body.failed && !url.failed && tc_exchange_run(prover->exchange, &request, why) &&
           tc_exchange_answer(prover->exchange)->status == 200;
}

bool cf_prover_txt(struct cf_prover *prover, const char *name, const char *value)
{
    TRY(prover->can[CHALLENGE_DNS_01]);
    char host[DNS_NAME_SIZE + 1];
    snprintf(host, sizeof host, "%s.", name);
    if (prover->challtestsrv != NULL)
        return order(prover, "/set-txt", (const char *const[]) { "host", host, "value", value });
    return hand_over(prover, &(struct task) { .run = run_txt, .name = name, .content = value });
}

bool cf_prover_clear_txt(struct cf_prover *prover, const char *name)
{
    TRY(prover->can[CHALLENGE_DNS_01]);
    char host[DNS_NAME_SIZE + 1];
    snprintf(host, sizeof host, "%s.", name);
    if (prover->challtestsrv != NULL)
        return order(prover, "/clear-txt", (const char *const[]) { "host", host, NULL, NULL });
    return hand_over(prover, &(struct task) { .run = run_clear_txt, .name = name });
}

/* RFC 8555 §8.4: the wildcard's challenge stands at the name below it. */
static bool answer_dns(struct cf_prover *prover, const char *name, const char *content)
{
    AUTO(arena) arena = arena_create(ARENA_MAX);
    TRY(arena != NULL);
    const char *value = key_authorization_dns(arena, content);
    const char *owner = arena_printf(arena, "_acme-challenge.%s", strncmp(name, "*.", 2) == 0 ? name + 2 : name);
    return value != NULL && owner != NULL && cf_prover_txt(prover, owner, value);
}

static bool is_address(const char *name)
{
    uint8_t address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool cf_prover_answer(struct cf_prover *prover, enum acme_challenge_type type, const char *name, const char *token,
                      const char *content)
{
    TRY(prover->can[type]);
    if (type == CHALLENGE_DNS_01)
        return answer_dns(prover, name, content);
    if (prover->challtestsrv != NULL && type == CHALLENGE_HTTP_01)
        return order(prover, "/add-http01", (const char *const[]) { "token", token, "content", content });
    if (prover->challtestsrv != NULL) /* whose certificates are for names only */
        return !is_address(name) &&
               order(prover, "/add-tlsalpn01", (const char *const[]) { "host", name, "content", content });
    return hand_over(
        prover, &(struct task) { .run = run_answer, .type = type, .name = name, .token = token, .content = content });
}

bool cf_prover_flawed(struct cf_prover *prover, const char *name, const char *key_authorization,
                      const struct tls_alpn01_flaws *flaws)
{
    TRY(prover->tls != NULL);
    return hand_over(prover,
                     &(struct task) { .run = run_flawed, .name = name, .content = key_authorization, .flaws = flaws });
}
