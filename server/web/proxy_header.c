#include "server/web/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

enum { SIGNATURE_BYTES = 12, FIXED_BYTES = 16, FIELDS = 4, FIELD_MAX_BYTES = INET6_ADDRSTRLEN };

static const char line_start[] = "PROXY ";
static const uint8_t signature[SIGNATURE_BYTES] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static bool begins_with(struct bytes data, const void *start, size_t len)
{
    return memcmp(data.data, start, data.len < len ? data.len : len) == 0;
}

/* ---- version 1: PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 */

static bool read_port(const char *text, in_port_t *out)
{
    unsigned port = 0;
    size_t len = strlen(text);
    TRY(len > 0 && len <= 5 && (text[0] != '0' || len == 1));
    for (; *text != '\0'; text++) {
        TRY(*text >= '0' && *text <= '9');
        port = port * 10 + (unsigned)(*text - '0');
    }
    TRY(port <= UINT16_MAX);
    *out = htons((uint16_t)port);
    return true;
}

/* Source and destination address, then their ports: each behind one space, and nothing more. */
static bool split_fields(struct bytes line, char fields[static FIELDS][FIELD_MAX_BYTES])
{
    for (size_t i = 0; i < FIELDS; i++) {
        TRY(line.len > 0 && line.data[0] == ' ');
        line = bytes_of(line.data + 1, line.len - 1);
        const uint8_t *end = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
        size_t len = end != NULL ? (size_t)(end - line.data) : line.len;
        TRY(len > 0 && len < FIELD_MAX_BYTES && memchr(line.data, '\0', len) == NULL);
        memcpy(fields[i], line.data, len);
        fields[i][len] = '\0';
        line = bytes_of(line.data + len, line.len - len);
    }
    return line.len == 0;
}

static bool read_client(sa_family_t family, struct bytes line, struct proxy_header *out)
{
    char fields[FIELDS][FIELD_MAX_BYTES];
    struct in6_addr destination;
    in_port_t port, destination_port;
    TRY(split_fields(line, fields));
    TRY(inet_pton(family, fields[1], &destination) == 1);
    TRY(read_port(fields[2], &port) && read_port(fields[3], &destination_port));
    if (family == AF_INET) {
        out->client.v4 = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = port };
        return inet_pton(AF_INET, fields[0], &out->client.v4.sin_addr) == 1;
    }
    out->client.v6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = port };
    return inet_pton(AF_INET6, fields[0], &out->client.v6.sin6_addr) == 1;
}

/* Behind UNKNOWN anything may stand, which nobody reads. */
static bool read_line(struct bytes line, struct proxy_header *out)
{
    static const struct {
        const char *name;
        sa_family_t family;
    } protocols[] = { { "TCP4", AF_INET }, { "TCP6", AF_INET6 }, { "UNKNOWN", AF_UNSPEC } };
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        size_t len = strlen(protocols[i].name);
        if (line.len < len || memcmp(line.data, protocols[i].name, len) != 0)
            continue;
        struct bytes rest = bytes_of(line.data + len, line.len - len);
        if (protocols[i].family != AF_UNSPEC)
            return read_client(protocols[i].family, rest, out);
        return rest.len == 0 || rest.data[0] == ' ';
    }
    return false;
}

static enum proxy_verdict read_version_1(struct bytes data, struct proxy_header *out)
{
    struct proxy_header header = { .client.any.sa_family = AF_UNSPEC };
    size_t most = data.len < PROXY_LINE_MAX_BYTES ? data.len : PROXY_LINE_MAX_BYTES, end = 0;
    while (end < most && data.data[end] != '\r' && data.data[end] != '\n')
        end++;
    if (end + 1 >= most && (end == most || data.data[end] == '\r'))
        return most < PROXY_LINE_MAX_BYTES ? PROXY_INCOMPLETE : PROXY_MALFORMED;
    if (data.data[end] != '\r' || data.data[end + 1] != '\n')
        return PROXY_MALFORMED;
    size_t start = sizeof line_start - 1;
    if (end < start || !read_line(bytes_of(data.data + start, end - start), &header))
        return PROXY_MALFORMED;
    header.len = end + 2;
    *out = header;
    return PROXY_COMPLETE;
}

/* ---- version 2 */

/* The client of a connection over TCP. False: the block is shorter than its addresses. */
static bool read_block(uint8_t protocol, struct bytes block, struct proxy_header *out)
{
    enum { TCP_OVER_IPV4 = 0x11, TCP_OVER_IPV6 = 0x21, IPV4_BYTES = 4, IPV6_BYTES = 16, PORT_BYTES = 2 };
    if (protocol == TCP_OVER_IPV4) {
        TRY(block.len >= 2 * (IPV4_BYTES + PORT_BYTES));
        out->client.v4 = (struct sockaddr_in) { .sin_family = AF_INET };
        memcpy(&out->client.v4.sin_addr, block.data, IPV4_BYTES);
        memcpy(&out->client.v4.sin_port, block.data + 2 * IPV4_BYTES, PORT_BYTES);
    } else if (protocol == TCP_OVER_IPV6) {
        TRY(block.len >= 2 * (IPV6_BYTES + PORT_BYTES));
        out->client.v6 = (struct sockaddr_in6) { .sin6_family = AF_INET6 };
        memcpy(&out->client.v6.sin6_addr, block.data, IPV6_BYTES);
        memcpy(&out->client.v6.sin6_port, block.data + 2 * IPV6_BYTES, PORT_BYTES);
    }
    return true;
}

/* Of the valid combinations those that are not TCP count as unspecified; so does everything where the proxy speaks for
 * itself (LOCAL), whatever stands there. */
static enum proxy_verdict read_version_2(struct bytes data, struct proxy_header *out)
{
    enum { VERSION = 2, LOCAL = 0, PROXY = 1, FAMILY_MAX = 3, TRANSPORT_MAX = 2 };
    struct proxy_header header = { .client.any.sa_family = AF_UNSPEC };
    if (data.len <= SIGNATURE_BYTES)
        return PROXY_INCOMPLETE;
    unsigned version = data.data[SIGNATURE_BYTES] >> 4, command = data.data[SIGNATURE_BYTES] & 0xf;
    if (version != VERSION || command > PROXY)
        return PROXY_MALFORMED;
    if (data.len < FIXED_BYTES)
        return PROXY_INCOMPLETE;
    uint8_t protocol = data.data[SIGNATURE_BYTES + 1];
    size_t len = (size_t)data.data[FIXED_BYTES - 2] << 8 | data.data[FIXED_BYTES - 1];
    header.len = FIXED_BYTES + len;
    if (header.len > PROXY_HEADER_MAX_BYTES)
        return PROXY_MALFORMED;
    if (command == PROXY && (protocol >> 4 > FAMILY_MAX || (protocol & 0xf) > TRANSPORT_MAX))
        return PROXY_MALFORMED;
    if (data.len < header.len)
        return PROXY_INCOMPLETE;
    if (command == PROXY && !read_block(protocol, bytes_of(data.data + FIXED_BYTES, len), &header))
        return PROXY_MALFORMED;
    *out = header;
    return PROXY_COMPLETE;
}

enum proxy_verdict proxy_header_read(struct bytes data, struct proxy_header *out)
{
    if (data.len == 0)
        return PROXY_INCOMPLETE;
    if (begins_with(data, line_start, sizeof line_start - 1))
        return read_version_1(data, out);
    return begins_with(data, signature, SIGNATURE_BYTES) ? read_version_2(data, out) : PROXY_ABSENT;
}
