#include "test-client/listen_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

static bool parse_port(const char *text, uint16_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* The host in front of `colon`: in brackets when it holds colons itself. */
static bool parse_host(const char *text, const char *colon, char out[static LISTEN_HOST_SIZE])
{
    struct bytes host = bytes_of(text, (size_t)(colon - text));
    bool brackets = host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (brackets)
        host = bytes_of(host.data + 1, host.len - 2);
    else if (host.len > 0 && memchr(host.data, ':', host.len) != NULL)
        return false;
    if (host.len >= LISTEN_HOST_SIZE || (brackets && host.len == 0))
        return false;
    memcpy(out, host.data, host.len);
    out[host.len] = '\0';
    return true;
}

bool listen_address_parse(const char *text, struct listen_address *out, char why[static LISTEN_WHY_SIZE])
{
    struct listen_address address;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_port(colon + 1, &address.port) || !parse_host(text, colon, address.host)) {
        snprintf(why, LISTEN_WHY_SIZE, "\"%.100s\" is no address to listen on: HOST:PORT, [IPV6]:PORT or :PORT", text);
        return false;
    }
    *out = address;
    return true;
}

/* One IPv6 socket hears IPv4 too; a machine without IPv6 gets IPv4 alone. */
static const char *every_address(void)
{
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return "0.0.0.0";
    close(probe);
    return "::";
}

bool listen_address_resolve(const struct listen_address *address, struct sockaddr_storage *out,
                            char why[static LISTEN_WHY_SIZE])
{
    const char *host = address->host[0] != '\0' ? address->host : every_address();
    char port[8];
    snprintf(port, sizeof port, "%u", address->port);
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        snprintf(why, LISTEN_WHY_SIZE, "\"%.100s\" has no address: %s", host, gai_strerror(error));
        return false;
    }
    *out = (struct sockaddr_storage) { 0 };
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

void listen_address_text(const struct listen_address *address, uint16_t port, char out[static LISTEN_TEXT_SIZE])
{
    bool brackets = strchr(address->host, ':') != NULL;
    snprintf(out, LISTEN_TEXT_SIZE, brackets ? "[%s]:%u" : "%s:%u", address->host, port);
}

uint16_t listen_port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
}
