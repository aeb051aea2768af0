#include "server/web/forwarded.h"

#include "server/web/endpoint.h"
#include "server/web/network.h"

enum { HOPS_MAX = 16, VALUE_MAX_BYTES = 1024 };

/* What one proxy says of who asked it; NULL where it does not say. */
struct hop {
    const char *client, *proto, *host;
};

struct hops { /* the last one is the nearest proxy's */
    struct hop items[HOPS_MAX];
    size_t count;
};

/* Of too long a chain the far end, which anyone can write, is forgotten. */
static void add_hop(struct hops *hops, const struct hop *hop)
{
    if (hop->client == NULL && hop->proto == NULL && hop->host == NULL)
        return;
    if (hops->count == HOPS_MAX)
        memmove(&hops->items[0], &hops->items[1], --hops->count * sizeof *hop);
    hops->items[hops->count++] = *hop;
}

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

/* ---- Forwarded (RFC 7239 §4): for=192.0.2.60;proto=http, for="[2001:db8::1]:47011";host=ca.example */

/* Unquoted, too, the colons and brackets of addresses are taken, as proxies send them. */
static bool read_value(struct arena *arena, const char **at, const char **out)
{
    AUTO_BUF(value, VALUE_MAX_BYTES);
    const char *text = *at;
    size_t len = strcspn(text, " \t\",;");
    if (*text != '"') {
        buf_append(&value, text, len);
        *at = text + len;
    } else {
        for (text++; *text != '"'; text++) {
            text += *text == '\\';
            TRY(*text != '\0');
            buf_char(&value, *text);
        }
        *at = text + 1;
    }
    *out = !value.failed ? arena_text(arena, buf_str(&value)) : NULL;
    return *out != NULL;
}

static bool read_pair(struct arena *arena, const char **at, struct hop *hop)
{
    const struct {
        const char *name;
        const char **place;
    } known[] = { { "for", &hop->client }, { "proto", &hop->proto }, { "host", &hop->host } };
    const char *name = *at, *value;
    size_t len = strcspn(name, "=,; \t\"");
    TRY(len > 0 && name[len] == '=');
    *at += len + 1;
    TRY(read_value(arena, at, &value));
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strlen(known[i].name) != len || strncasecmp(known[i].name, name, len) != 0)
            continue;
        TRY(*known[i].place == NULL);
        *known[i].place = value;
    }
    return true;
}

/* Up to the comma or the end. */
static bool read_hop(struct arena *arena, const char **at, struct hop *hop)
{
    for (;; (*at)++) {
        skip_blanks(at);
        if (strchr(";,", **at) == NULL)
            TRY(read_pair(arena, at, hop));
        skip_blanks(at);
        if (**at != ';')
            return **at == ',' || **at == '\0';
    }
}

static bool read_forwarded(struct arena *arena, const char *header, struct hops *out)
{
    for (const char *at = header;; at++) {
        struct hop hop = { 0 };
        TRY(read_hop(arena, &at, &hop));
        add_hop(out, &hop);
        if (*at == '\0')
            return true;
    }
}

/* ---- X-Forwarded-*: a list of clients; scheme and name are the last ones, which the nearest proxy wrote */

static const char *trimmed(struct arena *arena, const char *text, size_t len)
{
    for (; len > 0 && strchr(" \t", *text) != NULL; len--)
        text++;
    while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
        len--;
    return len > 0 ? arena_text_of(arena, bytes_of(text, len)) : NULL;
}

static const char *last_of(struct arena *arena, const char *list)
{
    const char *comma = list != NULL ? strrchr(list, ',') : NULL;
    const char *last = comma != NULL ? comma + 1 : list;
    return last != NULL ? trimmed(arena, last, strlen(last)) : NULL;
}

static void read_x_forwarded(struct arena *arena, const struct forwarded_headers *headers, struct hops *out)
{
    const char *at = headers->x_for != NULL ? headers->x_for : "";
    struct hop hop = { 0 };
    for (size_t len; at[len = strcspn(at, ",")] == ','; at += len + 1) {
        hop.client = trimmed(arena, at, len);
        add_hop(out, &hop);
    }
    hop.client = trimmed(arena, at, strlen(at));
    hop.proto = last_of(arena, headers->x_proto);
    hop.host = last_of(arena, headers->x_host);
    add_hop(out, &hop);
}

/* ---- whom to believe */

bool forwarded_trusts(const struct settings *settings, const char *address)
{
    for (size_t i = 0; i < settings->trusted_proxies.count; i++) {
        struct network network;
        if (network_read(settings->trusted_proxies.items[i], &network) && network_holds(&network, address))
            return true;
    }
    return false;
}

static bool host_is_plain(const char *host)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    return host != NULL && host[0] != '\0' && host[strspn(host, allowed)] == '\0';
}

/* RFC 7239 §6: an address, an IPv6 one in brackets, with or without a port. X-Forwarded-For has it without brackets
 * too. NULL for "unknown", a name of the proxy's own and garbage. */
static const char *bare_address(struct arena *arena, const char *text)
{
    static const char port[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    bool bracket = text[0] == '[';
    if (ip_address_ok(text))
        return text;
    text += bracket;
    size_t len = strcspn(text, bracket ? "]" : ":");
    const char *copy = arena_text_of(arena, bytes_of(text, len)), *rest = text + len;
    if (copy == NULL || !ip_address_ok(copy) || *rest == '\0' || bracket != (strchr(copy, ':') != NULL))
        return NULL;
    rest += bracket;
    if (*rest == ':' && rest[1] != '\0')
        rest += 1 + strspn(rest + 1, port);
    return *rest == '\0' ? copy : NULL;
}

/* From the nearest proxy outwards: the first one that is no proxy of ours is the client, and the proxy it asked knows
 * by which scheme and name. */
static void believe(struct arena *arena, const struct settings *settings, const struct hops *hops,
                    struct forwarded *inout)
{
    for (size_t i = hops->count; i-- > 0 && forwarded_trusts(settings, inout->peer);) {
        const struct hop *hop = &hops->items[i];
        if (hop->proto != NULL && strcasecmp(hop->proto, "https") == 0)
            inout->proto = "https";
        else if (hop->proto != NULL && strcasecmp(hop->proto, "http") == 0)
            inout->proto = "http";
        if (host_is_plain(hop->host))
            inout->host = hop->host;
        const char *client = hop->client != NULL ? bare_address(arena, hop->client) : NULL;
        if (client == NULL)
            return;
        inout->peer = client;
    }
}

bool forwarded_resolve(struct arena *arena, const struct settings *settings, const struct forwarded_headers *headers,
                       struct forwarded *inout)
{
    struct hops hops = { .count = 0 };
    TRY(inout->peer != NULL);
    inout->host = host_is_plain(headers->host) ? headers->host : NULL;
    if (!forwarded_trusts(settings, inout->peer))
        return true;
    if (headers->forwarded == NULL)
        read_x_forwarded(arena, headers, &hops);
    else if (!read_forwarded(arena, headers->forwarded, &hops))
        return true;
    believe(arena, settings, &hops, inout);
    return true;
}
