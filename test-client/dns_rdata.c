#include "test-client/dns_rdata.h"

#include <arpa/inet.h>

enum { STRING_MAX = 255 };

bool dns_rdata_address(enum dns_type type, const char *text, struct buf *out)
{
    uint8_t address[16];
    TRY(inet_pton(type == DNS_A ? AF_INET : AF_INET6, text, address) == 1);
    buf_append(out, address, type == DNS_A ? 4 : 16);
    return !out->failed;
}

bool dns_rdata_name(const char *name, struct buf *out)
{
    dns_write_name(out, name);
    return !out->failed;
}

static void write_string(struct bytes string, struct buf *out)
{
    buf_char(out, (char)string.len);
    buf_append(out, string.data, string.len);
}

bool dns_rdata_txt(struct bytes value, struct buf *out)
{
    for (; value.len > STRING_MAX; value = bytes_of(value.data + STRING_MAX, value.len - STRING_MAX))
        write_string(bytes_of(value.data, STRING_MAX), out);
    write_string(value, out); /* an empty value is one empty string (RFC 1035 §3.3.14 wants at least one) */
    return !out->failed;
}

bool dns_rdata_caa(const char *tag, const char *value, struct buf *out)
{
    size_t len = strlen(tag);
    TRY(len > 0 && len <= STRING_MAX);
    for (size_t i = 0; i < len; i++)
        TRY((tag[i] >= '0' && tag[i] <= '9') || ((tag[i] | 0x20) >= 'a' && (tag[i] | 0x20) <= 'z'));
    buf_char(out, 0);
    write_string(bytes_of(tag, len), out);
    buf_text(out, value);
    return !out->failed;
}
