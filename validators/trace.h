/* What one validation did, step by step, as a compact JSON array: each step an object with `step`, `at_ms` (since the
 * start) and `took_ms`, and what that kind of step adds. Bounded: what does not fit is left out, and a last step "cut"
 * says so. Bytes from the network go through val_printable first. */
#pragma once

#include "base/json.h"

enum { VAL_TRACE_MAX_BYTES = 16384 };

struct val_trace {
    struct buf text;
    struct json_out out;
    uint64_t start_ms;
    size_t whole; /* length up to the last complete step */
    bool cut;
};

void val_trace_start(struct val_trace *trace, uint64_t now_ms);
void val_trace_free(struct val_trace *trace);

/* Opens a step's object; the caller adds members and closes it with val_trace_end. */
struct json_out *val_trace_step(struct val_trace *trace, const char *step, uint64_t began_ms, uint64_t now_ms);
void val_trace_end(struct val_trace *trace);

/* The whole array; lives as long as the trace, to which nothing can be added any more. */
const char *val_trace_finish(struct val_trace *trace);
