#include "validators/dns_plan.h"

#include "base/buf.h"

#include <stdio.h>
#include <unbound.h>
#include <unistd.h>

#define TLS_PREFIX "tls://"
#define ROOT_HINTS "/usr/share/dns/root.hints"

enum { SOCKETS_LEAST = 16, SOCKETS_MOST = 1024 };

/* Answers are not remembered: neither good ones nor failures, where cache-max-ttl alone would leave those without a SOA
 * record in the cache for seconds, nor which forwarder was slow. Loopback may be asked, for that is where test servers
 * live, and many questions may be open at once: each has a socket, of which the rest of the server needs some, too. */
static const char common[] = "server:\n"
                             " verbosity: 0\n"
                             " msg-cache-size: 0\n"
                             " cache-max-negative-ttl: 0\n"
                             " unblock-lan-zones: yes\n"
                             " num-queries-per-thread: 4096\n"
                             " outgoing-range: %d\n";
static const char forwarding[] = " rrset-cache-size: 0\n"
                                 " cache-max-ttl: 0\n"
                                 " infra-host-ttl: 0\n"
                                 " do-not-query-localhost: no\n";
static const char forward_zone[] = "forward-zone:\n name: \".\"\n forward-no-cache: yes\n";
/* From the root down: who serves a zone may be known for a minute, or the root would be asked for every name. */
static const char recursing[] = " cache-max-ttl: 60\n";

static bool take(const char *from, size_t len, char *out, size_t size)
{
    TRY(len > 0 && len < size);
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static bool only(const char *text, const char *of)
{
    return text[0] != '\0' && text[strspn(text, of)] == '\0';
}

/* "ADDR:PORT" or "[V6]:PORT" in the first `len` bytes */
static bool parse_endpoint(const char *text, size_t len, struct val_relay_target *out)
{
    char address[VAL_ADDRESS_SIZE], port[6];
    bool v6 = text[0] == '[';
    const char *colon = memrchr(text, ':', len);
    TRY(colon != NULL && take(colon + 1, (size_t)(text + len - colon - 1), port, sizeof port));
    TRY(only(port, "0123456789") && strtoul(port, NULL, 10) <= UINT16_MAX);
    TRY(!v6 || (colon > text + 1 && colon[-1] == ']'));
    TRY(take(text + v6, (size_t)(colon - text) - 2 * v6, address, sizeof address));
    out->port = (uint16_t)strtoul(port, NULL, 10);
    return val_address_parse(address, &out->address) && (out->address.family == AF_INET6) == v6;
}

/* With "tls://" in front over TLS, and then maybe "#NAME" behind */
static bool parse(const char *text, struct val_dns_plan *out)
{
    out->tls = strncmp(text, TLS_PREFIX, sizeof TLS_PREFIX - 1) == 0;
    text += out->tls ? sizeof TLS_PREFIX - 1 : 0;
    size_t len = strcspn(text, "#");
    out->target.name[0] = '\0';
    if (text[len] == '#')
        TRY(out->tls && take(text + len + 1, strlen(text + len + 1), out->target.name, sizeof out->target.name) &&
            only(out->target.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."));
    return parse_endpoint(text, len, &out->target);
}

/* The relay's address is known only when it stands. */
static void write_forwarder(struct buf *out, const struct val_dns_plan *plan)
{
    char address[VAL_ADDRESS_SIZE];
    buf_printf(out, "%s%s%s", forwarding, plan->tls ? " tcp-upstream: yes\n outgoing-num-tcp: 64\n" : "", forward_zone);
    if (!plan->tls)
        buf_printf(out, " forward-addr: %s@%u\n", val_address_text(&plan->target.address, address), plan->target.port);
}

static const char *readable(const char *path)
{
    return access(path, R_OK) == 0 ? path : NULL;
}

static void write_recursive(struct buf *out)
{
    buf_text(out, recursing);
    if (readable(ROOT_HINTS) != NULL)
        buf_text(out, " root-hints: \"" ROOT_HINTS "\"\n");
}

/* libunbound reads anchors with the first question only; "localhost" it answers by itself. */
static bool anchor_ok(const char *file)
{
    struct ub_result *result = NULL;
    struct ub_ctx *ctx = ub_ctx_create();
    TRY(ctx != NULL);
    ub_ctx_debugout(ctx, NULL);
    bool ok = ub_ctx_add_ta_file(ctx, file) == 0 && ub_resolve(ctx, "localhost", 1, 1, &result) == 0;
    ub_resolve_free(result);
    ub_ctx_delete(ctx);
    return ok;
}

static int sockets_of_thread(const struct validators_options *options)
{
    if (options->files_below == 0)
        return SOCKETS_MOST;
    int share = options->files_below / 4 / (int)options->threads;
    return share > SOCKETS_MOST ? SOCKETS_MOST : share < SOCKETS_LEAST ? SOCKETS_LEAST : share;
}

bool val_dns_plan_make(const struct validators_options *options, struct val_dns_plan *out,
                       char why[static VALIDATORS_WHY_SIZE])
{
    AUTO_BUF(text, VAL_DNS_CONFIGURATION_BYTES - 1);
    buf_printf(&text, common, sockets_of_thread(options));
    *out = (struct val_dns_plan) { 0 };
    out->resolv_conf = options->dns_server == NULL && !options->dns_recursive;
    out->trust_anchor = options->dns_trust_anchor;
    out->forward = options->dns_server != NULL;
    const char *asked = options->dns_server;
    if (asked != NULL && !parse(asked, out)) {
        snprintf(why, VALIDATORS_WHY_SIZE, "dns.server: \"%.80s\" is not ADDRESS:PORT or tls://ADDRESS:PORT#NAME",
                 asked);
        return false;
    }
    if (asked != NULL) {
        write_forwarder(&text, out);
    } else if (options->dns_recursive) {
        write_recursive(&text);
        asked = "the authoritative servers";
        if (out->trust_anchor == NULL)
            out->trust_anchor = readable(VAL_DNS_ROOT_ANCHOR);
    } else {
        buf_printf(&text, "%s%s", forwarding, forward_zone);
        asked = "the servers in /etc/resolv.conf";
    }
    if (out->trust_anchor != NULL && !anchor_ok(out->trust_anchor)) {
        snprintf(why, VALIDATORS_WHY_SIZE, "dns.trust-anchor: %.150s holds no DS or DNSKEY records", out->trust_anchor);
        return false;
    }
    snprintf(out->asked, sizeof out->asked, "%s", asked);
    snprintf(out->configuration, sizeof out->configuration, "%s", buf_str(&text));
    if (text.failed)
        snprintf(why, VALIDATORS_WHY_SIZE, "out of memory");
    return !text.failed;
}
