#include "server/caraway.h"

#include "base/text.h"
#include "base/clock_text.h"
#include "server/files.h"
#include "base/crypto.h"
#include "server/web/endpoint.h"
#include "server/protocol/issuance.h"
#include "server/protocol/later.h"
#include "server/management/janitor.h"
#include "server/web/key_cache.h"
#include "server/limits/limit.h"
#include "server/web/nonce.h"
#include "server/limits/request_limit.h"
#include "server/webhook/outbound.h"
#include "server/protocol/recheck.h"
#include "server/protocol/validation.h"
#include "server/webhook/webhook.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 4096, TLS_NAMES_MAX = 64, ISSUED_ARENA_MAX = 65536 };

static bool refuse(char why[static CARAWAY_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(char why[static CARAWAY_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CARAWAY_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static void path_below(const struct caraway *caraway, const char *name, struct buf *out)
{
    buf_printf(out, "%s/%s", caraway->settings->data, name);
}

unsigned caraway_threads(int64_t wanted)
{
    cpu_set_t cpus;
    if (wanted > 0)
        return (unsigned)wanted;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
}

/* ---- the parts, in the order of their start */

bool caraway_make_directory(const struct settings *settings, char why[static CARAWAY_WHY_SIZE])
{
    const char *data = settings->data;
    AUTO_BUF(path, PATH_MAX_BYTES);
    buf_text(&path, data);
    if (path.failed || path.len == 0)
        return refuse(why, "\"%.100s\" is not a path for a data directory", data);
    for (char *c = path.data + 1; c <= path.data + path.len; c++) {
        char end = *c;
        if (end != '/' && end != '\0')
            continue;
        *c = '\0';
        if (mkdir(path.data, 0700) != 0 && errno != EEXIST)
            return refuse(why, "cannot make the data directory %.200s: %s; choose another with --data", path.data,
                          strerror(errno));
        *c = end;
    }
    struct stat found;
    if (stat(data, &found) != 0 || !S_ISDIR(found.st_mode) || access(data, R_OK | W_OK | X_OK) != 0)
        return refuse(why, "the data directory %.200s is not a directory this user may write to", data);
    return true;
}

bool caraway_open_store(const struct settings *settings, struct store **out, char why[static CARAWAY_WHY_SIZE])
{
    AUTO_BUF(path, PATH_MAX_BYTES);
    buf_printf(&path, "%s/db", settings->data);
    struct store_options options = {
        .driver = settings->storage_driver,
        .path = buf_str(&path),
        .max_bytes = settings->storage_max_size_bytes,
        .sync = settings->storage_sync,
    };
    char reason[STORE_WHY_SIZE] = "";
    enum store_status status = store_open(&options, out, reason);
    if (status == STORE_LOCKED)
        return refuse(why, "another caraway has the data directory %.200s open; stop it, or choose another with --data",
                      settings->data);
    return status == STORE_OK || refuse(why, "%s", reason[0] != '\0' ? reason : store_status_text(status));
}

static bool open_store(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    return caraway_open_store(caraway->settings, &caraway->store, why);
}

static void close_store(struct caraway *caraway)
{
    store_drop(TAKE(caraway->store));
}

static bool open_limits(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    caraway->limits = limits_create(caraway->settings, caraway->store);
    caraway->request_limits = request_limits_create(caraway->settings, caraway->world);
    if (caraway->request_limits == NULL)
        return refuse(why, "out of memory");
    return caraway->limits != NULL || refuse(why, "the overrides of rate limits cannot be read from the database");
}

/* True also when it cannot be read: a CA that nobody remembers is not made then. */
static bool has_issued(struct store *store)
{
    struct store_page page;
    AUTO(arena) arena = arena_create(ISSUED_ARENA_MAX);
    AUTO(store_txn) txn = arena != NULL ? store_begin_read(store) : NULL;
    return txn == NULL || !store_list_all(txn, arena, RECORD_certificate, NULL, 1, false, &page) || page.ids.count > 0;
}

static bool open_ca(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = caraway->settings;
    AUTO_BUF(path, PATH_MAX_BYTES);
    path_below(caraway, "ca", &path);
    if (!ca_exists(buf_str(&path)) && has_issued(caraway->store))
        return refuse(
            why,
            "the database holds certificates, but %.200s holds nothing of the CA that issued them; put it back "
            "from a backup, or move %.200s/db away to begin anew",
            buf_str(&path), settings->data);
    struct ca_options options = {
        .directory = buf_str(&path),
        .name = settings->ca_name,
        .threads = caraway_threads(settings->ca_signing_threads),
        .alternates = (unsigned)settings->ca_alternate_chains,
        .world = caraway->world,
    };
    CHECK(ca_key_type_from_text(settings->ca_key_type, &options.key_type));
    char reason[CA_WHY_SIZE] = "";
    return ca_open(&options, &caraway->ca, reason) || refuse(why, "%s", reason);
}

static void close_ca(struct caraway *caraway)
{
    ca_drop(TAKE(caraway->ca));
}

struct tls_names {
    const char *items[TLS_NAMES_MAX];
    size_t count;
};

static void add_name(struct tls_names *names, const char *name)
{
    if (names->count < TLS_NAMES_MAX && !text_is_among(names->items, names->count, name))
        names->items[names->count++] = name;
}

/* The names clients may use: loopback and this machine's name, then what is listened on and what the external URL says.
 */
static void collect_names(const struct settings *settings, struct arena *arena, struct tls_names *names)
{
    char host[256] = "";
    add_name(names, "localhost");
    add_name(names, "127.0.0.1");
    add_name(names, "::1");
    const char *own = gethostname(host, sizeof host - 1) == 0 && dns_name_ok(host) ? arena_text(arena, host) : NULL;
    if (own != NULL)
        add_name(names, own);
    for (size_t i = 0; i < settings->listen.count; i++) {
        struct endpoint endpoint;
        if (!endpoint_read(settings->listen.items[i], &endpoint) || endpoint.path != NULL)
            continue;
        if (endpoint_is_everywhere(&endpoint))
            continue;
        const char *name = arena_text(arena, endpoint.host);
        if (name != NULL)
            add_name(names, name);
    }
    const char *url = strstr(settings->external_url, "://");
    if (url == NULL)
        return;
    url += 3;
    bool bracket = *url == '[';
    size_t len = strcspn(url + bracket, bracket ? "]" : ":/?#");
    const char *name = arena_text_of(arena, bytes_of(url + bracket, len));
    if (name != NULL)
        add_name(names, name);
}

static bool open_tls(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    AUTO_BUF(path, PATH_MAX_BYTES);
    AUTO(arena) arena = arena_create(65536);
    struct tls_names names = { .count = 0 };
    char reason[CA_WHY_SIZE] = "";
    if (arena == NULL)
        return refuse(why, "out of memory");
    path_below(caraway, "tls", &path);
    collect_names(caraway->settings, arena, &names);
    if (!ca_tls_open(buf_str(&path), names.items, names.count, caraway->world, &caraway->tls, reason))
        return refuse(why, "%s", reason);
    /* so that it outlives a restart */
    crypto_hmac_sha256(bytes_text(caraway->tls.key_pem), bytes_text("the addresses of pages"), caraway->page_key);
    return true;
}

static void close_tls(struct caraway *caraway)
{
    ca_tls_clear(&caraway->tls);
}

static void choose_resolver(const struct settings *settings, struct validators_options *out)
{
    out->dns_server = settings->dns_server[0] != '\0' ? settings->dns_server : NULL;
    out->dns_recursive = strcmp(settings->dns_resolver, "recursive") == 0;
    out->dns_trust_anchor = settings->dns_trust_anchor[0] != '\0' ? settings->dns_trust_anchor : NULL;
}

static bool open_validators(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = caraway->settings;
    /* who names a DNS server of his own wants its answers, not the lab's */
    bool lab_hosts = strcmp(settings->origin[SETTING_dns_hosts], "default") == 0;
    bool ask_server = settings->dns_server[0] != '\0';
    struct validators_options options = {
        .threads = caraway_threads(settings->validation_threads),
        .http_port = (uint16_t)settings->validation_http_port,
        .tls_port = (uint16_t)settings->validation_tls_port,
        .hosts = settings->dns_hosts.items,
        .host_count = ask_server && lab_hosts ? 0 : settings->dns_hosts.count,
        .allow_addresses = settings->validation_allow_addresses.items,
        .allow_address_count = settings->validation_allow_addresses.count,
        .dns_timeout_ms = settings->dns_timeout_ms,
        .connect_timeout_ms = settings->validation_connect_timeout_ms,
        .total_timeout_ms = settings->validation_timeout_ms,
        .max_in_flight = (unsigned)settings->validation_max_in_flight,
        .max_per_account = (unsigned)settings->validation_max_per_account,
        .max_per_name = (unsigned)settings->validation_max_per_name,
        .user_agent = "caraway/" CARAWAY_VERSION,
        .files_below = files_share_out(settings).validation_below,
    };
    char reason[VALIDATORS_WHY_SIZE] = "";
    choose_resolver(settings, &options);
    CHECK(caa_mode_from_text(settings->caa_mode, &options.caa_mode));
    return validators_open(&options, &caraway->validators, reason) || refuse(why, "%s", reason);
}

static void close_validators(struct caraway *caraway)
{
    later_stop(caraway->later); /* the store's last jobs may still add to it */
    validators_drop(TAKE(caraway->validators));
}

static bool open_protocol(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    caraway->later = later_start(caraway->world);
    caraway->validations = validations_create();
    caraway->issuances = issuances_create();
    caraway->rechecks = rechecks_create();
    caraway->nonces = nonces_create(caraway->world);
    caraway->keys = key_cache_create();
    caraway->webhook = webhook_create(caraway->settings);
    bool ok = caraway->later != NULL && caraway->validations != NULL && caraway->issuances != NULL &&
              caraway->rechecks != NULL && caraway->nonces != NULL && caraway->keys != NULL && caraway->webhook != NULL;
    return ok || refuse(why, "out of memory");
}

/* Behind the store, whose last jobs are outcomes of validations. */
static void close_protocol(struct caraway *caraway)
{
    limits_drop(TAKE(caraway->limits));
    request_limits_drop(TAKE(caraway->request_limits));
    webhook_drop(TAKE(caraway->webhook));
    key_cache_drop(TAKE(caraway->keys));
    nonces_drop(TAKE(caraway->nonces));
    issuances_drop(TAKE(caraway->issuances));
    rechecks_drop(TAKE(caraway->rechecks)); /* some were the issuances' */
    validations_drop(TAKE(caraway->validations));
    later_drop(TAKE(caraway->later));
}

static bool open_janitor(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    caraway->janitor = janitor_start(caraway);
    return caraway->janitor != NULL || refuse(why, "out of memory or threads");
}

static void close_janitor(struct caraway *caraway)
{
    janitor_stop(TAKE(caraway->janitor));
}

static bool open_services(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    const struct settings *settings = caraway->settings;
    char reason[OUTBOUND_WHY_SIZE] = "";
    const struct outbound_options options = {
        .secret_file = settings->webhook_secret_file,
        .ca_file = settings->outbound_ca_file,
        .user_agent = "caraway/" CARAWAY_VERSION,
        .world = caraway->world,
    };
    if (settings->webhook_url[0] == '\0' && settings->policy_approval_url[0] == '\0')
        return true;
    caraway->outbound = outbound_start(&options, reason);
    if (caraway->outbound == NULL)
        return refuse(why, "%s", reason);
    return webhook_start(caraway) || refuse(why, "out of memory or threads");
}

static void close_services(struct caraway *caraway)
{
    outbound_close(caraway->outbound);
    webhook_stop(caraway->webhook);
    outbound_stop(TAKE(caraway->outbound));
}

static const struct part {
    bool (*open)(struct caraway *caraway, char why[static CARAWAY_WHY_SIZE]);
    void (*close)(struct caraway *caraway); /* takes a part that was never opened */
} parts[] = {
    { open_protocol, close_protocol },
    { open_store, close_store },
    { open_limits, NULL /* the protocol's: the store's last jobs ask it */ },
    { open_ca, close_ca },
    { open_tls, close_tls },
    { open_validators, close_validators },
    { open_janitor, close_janitor },
    { open_services, close_services },
};

void caraway_close(struct caraway *caraway)
{
    for (size_t i = ARRAY_SIZE(parts); i > 0; i--)
        if (parts[i - 1].close != NULL)
            parts[i - 1].close(caraway);
    free(TAKE(caraway->base_url));
}

char *caraway_url(const struct settings *settings, uint16_t port)
{
    AUTO_BUF(url, PATH_MAX_BYTES);
    struct endpoint endpoint = { .port = 0 };
    bool tcp =
        settings->listen.count > 0 && endpoint_read(settings->listen.items[0], &endpoint) && endpoint.path == NULL;
    if (endpoint.port != 0)
        port = endpoint.port;
    if (settings->external_url[0] != '\0')
        buf_text(&url, settings->external_url);
    else if (!tcp)
        buf_text(&url, "https://localhost");
    else {
        const char *host = endpoint_is_everywhere(&endpoint) ? "localhost" : endpoint.host;
        buf_printf(&url, strchr(host, ':') != NULL ? "https://[%s]" : "https://%s", host);
        if (port != 443)
            buf_printf(&url, ":%u", port);
    }
    while (url.len > 0 && url.data[url.len - 1] == '/')
        url.data[--url.len] = '\0';
    size_t unused;
    return buf_take(&url, &unused);
}

/* A machine without a battery begins in 1970. */
static bool check_clock(const struct caraway *caraway, char why[static CARAWAY_WHY_SIZE])
{
    char moment[TIME_TEXT_SIZE];
    int64_t now_ms = world_now_ms(caraway->world);
    time_text(now_ms, moment);
    return now_ms >= CARAWAY_EARLIEST_MS ||
           refuse(why, "this machine's clock says %s; set it, for certificates are dated by it", moment);
}

bool caraway_open(struct caraway *caraway, const struct settings *settings, char why[static CARAWAY_WHY_SIZE])
{
    TRY(check_clock(caraway, why));
    caraway->settings = settings;
    caraway->base_url = caraway_url(settings, 0);
    if (caraway->base_url == NULL)
        return refuse(why, "out of memory");
    bool ok = caraway_make_directory(settings, why);
    for (size_t i = 0; ok && i < ARRAY_SIZE(parts); i++)
        ok = parts[i].open(caraway, why);
    if (!ok)
        caraway_close(caraway);
    return ok;
}
