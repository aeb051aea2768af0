/* Times as text: RFC 3339 in UTC (RFC 8555 §7.1.3). Times are milliseconds since 1970 everywhere in the house. */
#pragma once

#include "base/bytes.h"

enum { TIME_TEXT_SIZE = 32 };

/* "2026-11-24T12:58:18Z", cut to whole seconds. */
void time_text(int64_t ms, char out[static TIME_TEXT_SIZE]);

/* Reads an RFC 3339 date-time with any offset and fraction. False when it is not one or lies outside years 1–9999. */
MUST_USE bool time_parse(const char *text, int64_t *out_ms);

/* Reads "90d", "1h30m", "500ms": numbers with their units, one behind the other. False for anything else, and for more
 * than 9999 years. */
MUST_USE bool duration_parse(const char *text, int64_t *out_ms);
