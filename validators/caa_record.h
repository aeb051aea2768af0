/* One CAA record's data (RFC 8659 §4.1): flags, tag, value. Whoever may write to the zone writes it: hostile input. */
#pragma once

#include "validators/printable.h"

struct val_caa_record {
    uint8_t flags;
    struct bytes tag, value; /* loans; the tag is letters and digits, at least one */
};
MUST_USE bool val_caa_record_read(struct bytes rdata, struct val_caa_record *out);

/* Bit 0, the top one, by RFC 8659. Zones that wrote bit 7 for it are understood, too: so much the stricter. */
bool val_caa_record_critical(const struct val_caa_record *record);

/* As a zone file has it, `0 issue "ca.test"`, printable and short; bytes that are no record as `3 bytes "\x00\x09i"`.
 */
enum { VAL_CAA_TEXT_SIZE = 2 * VAL_SHOWN_SIZE + 16 };
const char *val_caa_record_text(struct bytes rdata, char out[static VAL_CAA_TEXT_SIZE]);
