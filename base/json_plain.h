/* The JSON of most requests, read faster than jansson reads JSON: objects whose members are plain strings (printable
 * ASCII, no escapes) or such objects. Only base/json.c includes this. */
#pragma once

#include "base/json.h"

/* NULL for anything else, faulty or not: then jansson has the word. */
MUST_USE json_t *json_read_plain(struct bytes text);
