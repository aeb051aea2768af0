#include "test-client/dns_nsec.h"

#include <ctype.h>

enum { LABEL_MAX = 63, WINDOWS = 256, WINDOW_BYTES = 32 };

/* The first label of a name, to be changed, and the wire form of what stands above it. */
struct label {
    uint8_t bytes[LABEL_MAX];
    size_t len;
    struct buf above;
};

static bool split(const char *name, struct label *out)
{
    AUTO_BUF(wire, DNS_NAME_WIRE_MAX);
    dns_write_name(&wire, name);
    *out = (struct label) { .above = BUF_INIT(DNS_NAME_WIRE_MAX) };
    TRY(!wire.failed && wire.len > 1);
    out->len = (uint8_t)wire.data[0];
    memcpy(out->bytes, wire.data + 1, out->len);
    buf_append(&out->above, wire.data + 1 + out->len, wire.len - 1 - out->len);
    return !out->above.failed;
}

static bool has_room(const struct label *label)
{
    return label->len < LABEL_MAX && 1 + label->len + 1 + label->above.len <= DNS_NAME_WIRE_MAX;
}

/* Without bytes, the label is none and the parent is meant. */
static bool join(struct label *label, char out[static DNS_NAME_SIZE])
{
    AUTO_BUF(wire, DNS_NAME_WIRE_MAX);
    if (label->len > 0) {
        buf_char(&wire, (char)label->len);
        buf_append(&wire, label->bytes, label->len);
    }
    buf_append(&wire, label->above.data, label->above.len);
    struct dns_reader reader = { buf_bytes(&wire), 0 };
    bool joined = !wire.failed && dns_read_name(&reader, out);
    buf_free(&label->above);
    return joined;
}

bool dns_nsec_before(const char *name, char out[static DNS_NAME_SIZE])
{
    struct label label;
    TRY(split(name, &label));
    uint8_t *last = &label.bytes[label.len - 1];
    if (*last == 0) {
        label.len--;
        return join(&label, out);
    }
    *last = *last == '[' ? '@' : *last - 1; /* capital letters count as small ones (RFC 4034 §6.1) */
    if (has_room(&label))
        label.bytes[label.len++] = UINT8_MAX;
    return join(&label, out);
}

bool dns_nsec_behind(const char *name, char out[static DNS_NAME_SIZE])
{
    struct label label;
    TRY(split(name, &label));
    if (has_room(&label)) {
        label.bytes[label.len++] = 0;
        return join(&label, out);
    }
    while (label.len > 0 && label.bytes[label.len - 1] == UINT8_MAX)
        label.len--;
    if (label.len > 0) {
        uint8_t *last = &label.bytes[label.len - 1];
        *last = (uint8_t)tolower(*last + 1);
        return join(&label, out);
    }
    buf_free(&label.above);
    return false;
}

bool dns_nsec_below(const char *name, char out[static DNS_NAME_SIZE])
{
    struct label label = { .bytes = { 0 }, .len = 1, .above = BUF_INIT(DNS_NAME_WIRE_MAX) };
    dns_write_name(&label.above, name);
    return join(&label, out);
}

/* RFC 4034 §4.1.2 */
void dns_nsec_rdata(struct buf *out, const char *next, const uint16_t *types, size_t count)
{
    uint8_t bits[WINDOWS][WINDOW_BYTES] = { 0 };
    for (size_t i = 0; i < count; i++)
        bits[types[i] >> 8][(types[i] & 0xff) / 8] |= (uint8_t)(0x80 >> types[i] % 8);
    dns_write_name(out, next);
    for (size_t window = 0; window < WINDOWS; window++) {
        size_t len = WINDOW_BYTES;
        while (len > 0 && bits[window][len - 1] == 0)
            len--;
        if (len == 0)
            continue;
        buf_char(out, (char)window);
        buf_char(out, (char)len);
        buf_append(out, bits[window], len);
    }
}
