#include "server/forwarded.h"

#include "server/endpoint.h"
#include "server/network.h"

static bool is_trusted(const struct settings *settings, const char *address)
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

/* "for" values may be quoted, bracketed and carry a port. Gives the bare address, or NULL for "unknown" and the like.
 */
static const char *bare_address(struct arena *arena, const char *text, size_t len)
{
    while (len > 0 && (*text == ' ' || *text == '"')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '"'))
        len--;
    char *copy = arena_text_of(arena, bytes_of(text, len));
    if (copy == NULL || ip_address_ok(copy))
        return copy;
    char *end = copy[0] == '[' ? strchr(copy, ']') : strchr(copy, ':');
    if (end == NULL)
        return NULL;
    *end = '\0';
    copy += copy[0] == '[';
    return ip_address_ok(copy) ? copy : NULL;
}

/* From the right: each proxy adds who asked it; the first one that is no proxy of ours is the client. */
static const char *client_of_list(struct arena *arena, const struct settings *settings, const char *list)
{
    const char *client = NULL;
    size_t end = strlen(list);
    while (end > 0) {
        size_t start = end;
        while (start > 0 && list[start - 1] != ',')
            start--;
        const char *address = bare_address(arena, list + start, end - start);
        if (address == NULL)
            break;
        client = address;
        if (!is_trusted(settings, address))
            break;
        end = start > 0 ? start - 1 : 0;
    }
    return client;
}

/* The value of a parameter in the last element of a Forwarded header, which our own proxy wrote. */
static const char *forwarded_parameter(struct arena *arena, const char *header, const char *name)
{
    const char *element = strrchr(header, ',');
    char *copy = arena_text(arena, element != NULL ? element + 1 : header);
    size_t len = strlen(name);
    for (char *pair; copy != NULL && (pair = strsep(&copy, ";")) != NULL;) {
        pair += strspn(pair, " ");
        if (strncasecmp(pair, name, len) != 0 || pair[len] != '=')
            continue;
        char *value = pair + len + 1;
        value += *value == '"';
        value[strcspn(value, "\" ")] = '\0';
        return value;
    }
    return NULL;
}

static const char *or_else(const char *value, const char *fallback)
{
    return value != NULL ? value : fallback;
}

static void believe(struct arena *arena, const struct settings *settings, const struct forwarded_headers *headers,
                    struct forwarded *inout)
{
    const char *client = NULL, *proto = headers->x_proto, *host = headers->x_host;
    if (headers->forwarded != NULL) {
        const char *address = forwarded_parameter(arena, headers->forwarded, "for");
        client = address != NULL ? bare_address(arena, address, strlen(address)) : NULL;
        proto = or_else(forwarded_parameter(arena, headers->forwarded, "proto"), proto);
        host = or_else(forwarded_parameter(arena, headers->forwarded, "host"), host);
    } else if (headers->x_for != NULL) {
        client = client_of_list(arena, settings, headers->x_for);
    }
    inout->peer = or_else(client, inout->peer);
    if (proto != NULL && (strcmp(proto, "https") == 0 || strcmp(proto, "http") == 0))
        inout->proto = proto;
    if (host_is_plain(host))
        inout->host = host;
}

bool forwarded_resolve(struct arena *arena, const struct settings *settings, const struct forwarded_headers *headers,
                       struct forwarded *inout)
{
    TRY(inout->peer != NULL);
    inout->host = host_is_plain(headers->host) ? headers->host : NULL;
    if (is_trusted(settings, inout->peer))
        believe(arena, settings, headers, inout);
    return true;
}
