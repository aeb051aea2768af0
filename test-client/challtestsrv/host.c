#include "test-client/challtestsrv/host.h"

void cts_host_key(struct bytes host, char out[static DNS_NAME_SIZE])
{
    char text[DNS_NAME_SIZE];
    size_t len = host.len < sizeof text ? host.len : sizeof text - 1;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = host.data[i];
        text[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    text[len] = '\0';
    if (!dns_name_canonical(text, out))
        memcpy(out, text, len + 1);
}

struct bytes cts_host_without_port(struct bytes host)
{
    const uint8_t *bracket = host.len > 0 && host.data[0] == '[' ? memchr(host.data, ']', host.len) : NULL;
    if (bracket != NULL)
        return bytes_of(host.data + 1, (size_t)(bracket - host.data) - 1);
    const uint8_t *colon = host.len > 0 ? memchr(host.data, ':', host.len) : NULL;
    return colon != NULL ? bytes_of(host.data, (size_t)(colon - host.data)) : host;
}
