#include "validators/caa_record.h"

#include <stdio.h>

enum { HEADER_BYTES = 2, CRITICAL_BITS = 0x81 };

static bool is_tag(struct bytes tag)
{
    for (size_t i = 0; i < tag.len; i++) {
        uint8_t c = tag.data[i];
        TRY((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    }
    return tag.len > 0;
}

bool val_caa_record_read(struct bytes rdata, struct val_caa_record *out)
{
    TRY(rdata.len > HEADER_BYTES);
    size_t tag_len = rdata.data[1], rest = rdata.len - HEADER_BYTES;
    TRY(tag_len <= rest);
    struct bytes tag = bytes_of(rdata.data + HEADER_BYTES, tag_len);
    TRY(is_tag(tag));
    *out = (struct val_caa_record) { rdata.data[0], tag, bytes_of(tag.data + tag_len, rest - tag_len) };
    return true;
}

bool val_caa_record_critical(const struct val_caa_record *record)
{
    return (record->flags & CRITICAL_BITS) != 0;
}

const char *val_caa_record_text(struct bytes rdata, char out[static VAL_CAA_TEXT_SIZE])
{
    char tag[VAL_SHOWN_SIZE], value[VAL_SHOWN_SIZE];
    struct val_caa_record record;
    if (val_caa_record_read(rdata, &record))
        snprintf(out, VAL_CAA_TEXT_SIZE, "%u %s \"%s\"", record.flags, val_printable(record.tag, tag),
                 val_printable(record.value, value));
    else
        snprintf(out, VAL_CAA_TEXT_SIZE, "%zu bytes \"%s\"", rdata.len, val_printable(rdata, value));
    return out;
}
