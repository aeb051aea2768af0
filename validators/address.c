#include "validators/address.h"

#include <arpa/inet.h>
#include <stdio.h>

bool val_address_parse(const char *text, struct val_address *out)
{
    struct val_address address = { .family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET };
    TRY(inet_pton(address.family, text, address.ip) == 1);
    *out = address;
    return true;
}

bool val_address_from_bytes(struct bytes bytes, struct val_address *out)
{
    TRY(bytes.len == 4 || bytes.len == 16);
    *out = (struct val_address) { .family = bytes.len == 4 ? AF_INET : AF_INET6 };
    memcpy(out->ip, bytes.data, bytes.len);
    return true;
}

struct bytes val_address_bytes(const struct val_address *address)
{
    return bytes_of(address->ip, address->family == AF_INET ? 4 : 16);
}

const char *val_address_text(const struct val_address *address, char out[static VAL_ADDRESS_SIZE])
{
    CHECK(inet_ntop(address->family, address->ip, out, VAL_ADDRESS_SIZE) != NULL);
    return out;
}

const char *val_endpoint_text(const struct val_address *address, uint16_t port, char out[static VAL_ENDPOINT_SIZE])
{
    char ip[VAL_ADDRESS_SIZE];
    bool v6 = address->family == AF_INET6;
    snprintf(out, VAL_ENDPOINT_SIZE, "%s%s%s:%u", v6 ? "[" : "", val_address_text(address, ip), v6 ? "]" : "", port);
    return out;
}

const char *val_address_arpa(const struct val_address *address, char out[static VAL_ARPA_SIZE])
{
    if (address->family == AF_INET) {
        const uint8_t *ip = address->ip;
        snprintf(out, VAL_ARPA_SIZE, "%u.%u.%u.%u.in-addr.arpa", ip[3], ip[2], ip[1], ip[0]);
        return out;
    }
    char *p = out;
    for (int i = 15; i >= 0; i--)
        p += snprintf(p, (size_t)(out + VAL_ARPA_SIZE - p), "%x.%x.", address->ip[i] & 15, address->ip[i] >> 4);
    snprintf(p, (size_t)(out + VAL_ARPA_SIZE - p), "ip6.arpa");
    return out;
}

socklen_t val_address_socket(const struct val_address *address, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->ip, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address->ip, 16);
    return sizeof *in6;
}
