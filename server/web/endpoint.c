#include "server/web/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool dns_name_ok(const char *name)
{
    size_t label = 0, len = strlen(name);
    for (const char *c = name; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (*c == '.') {
            TRY(label > 0);
            label = 0;
        } else if (!(letter || *c == '-' || *c == '_') || ++label > 63)
            return false;
    }
    return label > 0 && len <= 253;
}

bool ip_address_ok(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool read_port(const char *text, uint16_t *out)
{
    unsigned port = 0;
    size_t len = strlen(text);
    TRY(len > 0 && len <= 5);
    for (; *text != '\0'; text++) {
        TRY(*text >= '0' && *text <= '9');
        port = port * 10 + (unsigned)(*text - '0');
    }
    TRY(port <= UINT16_MAX);
    *out = (uint16_t)port;
    return true;
}

bool endpoint_read(const char *text, struct endpoint *out)
{
    struct endpoint endpoint = { .port = 0 };
    if (strncmp(text, "unix:", 5) == 0) {
        endpoint.path = text + 5;
        TRY(text[5] != '\0');
        *out = endpoint;
        return true;
    }
    const char *colon = strrchr(text, ':');
    TRY(colon != NULL && read_port(colon + 1, &endpoint.port));
    size_t len = (size_t)(colon - text);
    endpoint.ipv6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (endpoint.ipv6) {
        text++;
        len -= 2;
    }
    TRY(len < sizeof endpoint.host);
    memcpy(endpoint.host, text, len);
    TRY(len == 0 || ip_address_ok(endpoint.host) || dns_name_ok(endpoint.host));
    TRY(endpoint.ipv6 == (strchr(endpoint.host, ':') != NULL));
    *out = endpoint;
    return true;
}

bool endpoint_is_everywhere(const struct endpoint *endpoint)
{
    static const char *const names[] = { "", "0.0.0.0", "::" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (endpoint->path == NULL && strcmp(endpoint->host, names[i]) == 0)
            return true;
    return false;
}
