/* `caraway serve` and `caraway init`: the daemon's life from start to end. Signals are only ever waited for, by this
 * thread; every other thread has them blocked. */
#include "server/command/admin_client.h"
#include "server/command/command.h"
#include "server/files.h"
#include "server/protocol/issuance.h"
#include "server/protocol/recheck.h"
#include "server/management/management.h"
#include "server/notify.h"
#include "server/webhook/outbound.h"
#include "server/web/routes.h"
#include "server/screen.h"
#include "server/protocol/validation.h"
#include "server/web/web.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LISTENERS_MAX = 16,
    SCREEN_MAX_BYTES = 16384,
    STOP_POLL_MS = 10,
};

struct server {
    struct caraway caraway;
    struct web *admin;      /* the Unix socket of the admin commands; NULL where there can be none */
    struct web *management; /* NULL when off */
    struct web *webs[LISTENERS_MAX];
    size_t web_count;
    unsigned connections; /* most per listener */
    struct world world;   /* of a laboratory: its clock can be moved */
    struct world_jumps clock;
};

/* ---- signals */

static sigset_t stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP); /* the terminal went; no setting can be reloaded yet */
    return set;
}

/* Before the first thread is made, so that all inherit it. */
static void take_signals(void)
{
    sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int wait_for_signal(void)
{
    sigset_t set = stop_signals();
    int number = 0;
    while (sigwait(&set, &number) != 0)
        continue;
    return number;
}

/* True when a second signal asks to hurry. */
static bool signalled_within(int64_t ms)
{
    sigset_t set = stop_signals();
    struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    return sigtimedwait(&set, NULL, &timeout) > 0;
}

/* ---- start */

/* With fewer files than the settings want, fewer connections are let in. */
static unsigned connections_allowed(const struct caraway *caraway)
{
    struct files_share share = files_share_out(caraway->settings);
    int64_t wanted = caraway->settings->web_max_connections;
    if (share.connections < wanted)
        log_event(caraway->log, LOG_SERVER_FEW_FILES, LOG_INT("open_files", share.open_files),
                  LOG_INT("wanted_connections", wanted), LOG_INT("allowed_connections", share.connections));
    return share.connections;
}

enum transport { PLAIN, TLS, TLS_BEHIND_PROXY };

static bool listen_one(struct server *server, const char *address, enum transport transport,
                       const struct routes *routes, struct web **out, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = server->caraway.settings;
    char reason[WEB_WHY_SIZE] = "";
    struct web_options options = {
        .listen = address,
        .tls = transport != PLAIN ? &server->caraway.tls : NULL,
        .proxied = transport == TLS_BEHIND_PROXY,
        .routes = routes,
        .threads = routes->acme ? caraway_threads(settings->web_threads) : 1,
        .max_connections = server->connections,
        .max_connections_per_address = (unsigned)settings->web_max_connections_per_address,
        .idle_timeout_ms = settings->web_idle_timeout_ms,
        .request_timeout_ms = settings->web_request_timeout_ms,
    };
    if (web_start(&server->caraway, &options, out, reason))
        return true;
    snprintf(why, CARAWAY_WHY_SIZE, "%s", reason);
    return false;
}

/* The server works without its admin commands, say when the path is too long for a socket. */
static void listen_admin(struct server *server)
{
    char why[CARAWAY_WHY_SIZE] = "";
    AUTO_BUF(address, SCREEN_MAX_BYTES);
    buf_printf(&address, "unix:%s/" ADMIN_SOCKET, server->caraway.settings->data);
    if (!listen_one(server, buf_str(&address), PLAIN, &admin_routes, &server->admin, why))
        log_event(server->caraway.log, LOG_SERVER_NO_ADMIN, LOG_TEXT("cause", why));
}

static bool listen_acme(struct server *server, const struct setting_texts *addresses, enum transport transport,
                        char why[static CARAWAY_WHY_SIZE])
{
    for (size_t i = 0; i < addresses->count; i++, server->web_count++) {
        if (server->web_count == LISTENERS_MAX) {
            snprintf(why, CARAWAY_WHY_SIZE, "listen, listen-plain and listen-proxied name more than %d addresses",
                     LISTENERS_MAX);
            return false;
        }
        TRY(listen_one(server, addresses->items[i], transport, &acme_routes, &server->webs[server->web_count], why));
    }
    return true;
}

/* The ways to ACME. */
static bool listen_ways(struct server *server, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = server->caraway.settings;
    if (settings->listen_proxied.count > 0 && settings->trusted_proxies.count == 0) {
        snprintf(why, CARAWAY_WHY_SIZE, "listen-proxied needs trusted-proxies, who alone may connect there");
        return false;
    }
    TRY(listen_acme(server, &settings->listen, TLS, why));
    TRY(listen_acme(server, &settings->listen_plain, PLAIN, why));
    TRY(listen_acme(server, &settings->listen_proxied, TLS_BEHIND_PROXY, why));
    if (server->web_count == 0)
        snprintf(why, CARAWAY_WHY_SIZE, "none of listen, listen-plain and listen-proxied names an address");
    return server->web_count > 0;
}

static bool listen_all(struct server *server, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = server->caraway.settings;
    server->connections = connections_allowed(&server->caraway);
    listen_admin(server);
    if (settings->management_listen[0] != '\0')
        TRY(listen_one(server, settings->management_listen, TLS, &management_routes, &server->management, why));
    return listen_ways(server, why);
}

static bool start(struct server *server, const struct settings *settings, char why[static CARAWAY_WHY_SIZE])
{
    TRY(caraway_open(&server->caraway, settings, why));
    if (!validations_resume(&server->caraway) || !issuances_resume(&server->caraway)) {
        snprintf(why, CARAWAY_WHY_SIZE, "what was under way cannot be read from the database");
        return false;
    }
    return listen_all(server, why);
}

static void announce(const struct server *server, int ready_fd)
{
    AUTO_BUF(text, SCREEN_MAX_BYTES);
    AUTO_BUF(addresses, SCREEN_MAX_BYTES);
    AUTO_TYPE(char) url = caraway_url(server->caraway.settings, web_port(server->webs[0]));
    for (size_t i = 0; i < server->web_count; i++)
        buf_printf(&addresses, "%s%s", i > 0 ? ", " : "", web_addresses(server->webs[i]));
    struct screen screen = {
        .url = url != NULL ? url : server->caraway.base_url,
        .management = server->management != NULL ? web_addresses(server->management) : NULL,
        .listening = buf_str(&addresses),
    };
    screen_write(&server->caraway, &screen, &text);
    (void)!write(STDOUT_FILENO, buf_str(&text), text.len);
    log_event(server->caraway.log, LOG_SERVER_STARTED, LOG_TEXT("version", CARAWAY_VERSION),
              LOG_TEXT("listening", screen.listening), LOG_TEXT("url", screen.url));
    notify_service_manager("READY=1");
    notify_ready_fd(ready_fd);
}

/* ---- end */

static size_t in_flight(const struct server *server)
{
    size_t count = server->management != NULL ? web_in_flight(server->management) : 0;
    for (size_t i = 0; i < server->web_count; i++)
        count += web_in_flight(server->webs[i]);
    return count;
}

static void stop_accepting(struct server *server)
{
    for (size_t i = 0; i < server->web_count; i++)
        web_stop_accepting(server->webs[i]);
}

/* Lets requests under way end, within the limit or until a second signal. */
static void finish_requests(struct server *server)
{
    int64_t deadline = monotonic_ms() + server->caraway.settings->shutdown_timeout_ms;
    while (in_flight(server) > 0) {
        if (monotonic_ms() < deadline && !signalled_within(STOP_POLL_MS))
            continue;
        log_event(server->caraway.log, LOG_SERVER_STOP_LATE, LOG_INT("cut_off", (int64_t)in_flight(server)));
        return;
    }
}

/* Also takes a server that came up only in part. */
static void stop(struct server *server)
{
    outbound_close(server->caraway.outbound);
    if (server->caraway.rechecks != NULL)
        rechecks_close(server->caraway.rechecks);
    for (size_t i = 0; i < server->web_count; i++)
        web_drop(TAKE(server->webs[i]));
    server->web_count = 0;
    web_drop(TAKE(server->management));
    web_drop(TAKE(server->admin));
    caraway_close(&server->caraway);
}

static struct log *open_log(const struct settings *settings)
{
    enum log_level level;
    enum log_format format;
    CHECK(log_level_from_text(settings->log_level, &level) && log_format_from_text(settings->log_format, &format));
    return log_open(STDERR_FILENO, level, format, world_real());
}

static void make_clock_movable(struct server *server)
{
    server->world = world_movable(&server->clock);
    server->caraway.world = &server->world;
    server->caraway.clock = &server->clock;
}

int serve_command(const struct command_line *line)
{
    char why[CARAWAY_WHY_SIZE] = "";
    AUTO(settings) settings = command_takes_no_words(line) ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    AUTO(log) log = open_log(settings);
    struct server server = { .caraway = { .world = world_real(), .log = log } };
    if (strcmp(settings->preset, "staging") == 0)
        make_clock_movable(&server);
    take_signals();
    if (!start(&server, settings, why)) {
        stop(&server);
        return command_fail("%s", why);
    }
    announce(&server, line->ready_fd);
    int number = wait_for_signal();
    notify_service_manager("STOPPING=1");
    stop_accepting(&server);
    log_event(log, LOG_SERVER_STOPPING, LOG_TEXT("signal", sigabbrev_np(number)));
    finish_requests(&server);
    stop(&server);
    log_event(log, LOG_SERVER_STOPPED);
    return EXIT_SUCCESS;
}

int init_command(const struct command_line *line)
{
    char why[CARAWAY_WHY_SIZE] = "";
    AUTO(settings) settings = command_takes_no_words(line) ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    struct caraway caraway = { .world = world_real() };
    if (!caraway_open(&caraway, settings, why))
        return command_fail("%s", why);
    printf("root      %s/ca/root.pem\nHTTPS CA  %s/tls/ca.pem\n", settings->data, settings->data);
    caraway_close(&caraway);
    return EXIT_SUCCESS;
}
