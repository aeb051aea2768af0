/* Bytes from the network on their way into details and traces: printable ASCII only, and short. */
#pragma once

#include "base/bytes.h"

enum { VAL_SHOWN_BYTES = 100, VAL_SHOWN_SIZE = VAL_SHOWN_BYTES * 4 + 4 };

/* At most VAL_SHOWN_BYTES bytes; `"` and `\` get a backslash, other bytes outside 0x20–0x7e become \xNN, and "..."
 * stands for what was cut. */
const char *val_printable(struct bytes bytes, char out[static VAL_SHOWN_SIZE]);
/* The same for as many bytes as fit into `size`. */
void val_printable_long(struct bytes bytes, char *out, size_t size);
