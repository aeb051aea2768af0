#include "validators/trace.h"

enum { ROOM_FOR_END = 32 };

void val_trace_start(struct val_trace *trace, uint64_t now_ms)
{
    *trace = (struct val_trace) { .text = BUF_INIT(VAL_TRACE_MAX_BYTES - ROOM_FOR_END), .start_ms = now_ms };
    trace->out = JSON_OUT(&trace->text, 0);
    json_out_array(&trace->out, NULL);
    trace->whole = trace->text.len;
}

void val_trace_free(struct val_trace *trace)
{
    buf_free(&trace->text);
}

struct json_out *val_trace_step(struct val_trace *trace, const char *step, uint64_t began_ms, uint64_t now_ms)
{
    json_out_object(&trace->out, NULL);
    json_out_text(&trace->out, "step", step);
    json_out_int(&trace->out, "at_ms", (int64_t)(began_ms - trace->start_ms));
    json_out_int(&trace->out, "took_ms", (int64_t)(now_ms - began_ms));
    return &trace->out;
}

/* Back to the last complete step: a buf keeps what it had when an append did not fit. */
static void undo(struct val_trace *trace)
{
    trace->text.len = trace->whole;
    trace->text.failed = false;
    trace->cut = true;
    trace->out.first = trace->whole == 1;
}

void val_trace_end(struct val_trace *trace)
{
    json_out_end_object(&trace->out);
    if (trace->cut || trace->text.failed)
        undo(trace);
    trace->whole = trace->text.len;
}

const char *val_trace_finish(struct val_trace *trace)
{
    trace->text.max = VAL_TRACE_MAX_BYTES;
    if (trace->cut)
        json_out_raw(&trace->out, NULL, "{\"step\":\"cut\"}");
    json_out_end_array(&trace->out);
    return trace->text.failed ? "[]" : buf_str(&trace->text);
}
