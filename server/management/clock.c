#include "server/management/clock.h"

#include "base/clock_text.h"
#include "server/caraway.h"
#include "server/web/payload.h"

#define LATEST_MS INT64_C(221845219200000) /* year 9000: what is stored and signed has years of four digits */

static bool reply_clock(struct request *rq)
{
    const struct caraway *caraway = rq->caraway;
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_time(&out, "now", world_now_ms(caraway->world));
    json_out_int(&out, "offset_ms", caraway->clock != NULL ? caraway->clock->offset_ms : 0);
    json_out_bool(&out, "movable", caraway->clock != NULL);
    json_out_end_object(&out);
    return true;
}

bool clock_get(struct request *rq)
{
    return reply_clock(rq);
}

/* How far to move it from now. */
static bool read_move(struct request *rq, int64_t *out_ms)
{
    const json_t *advance = json_object_get(rq->payload, "advance_ms");
    bool set = json_object_get(rq->payload, "set") != NULL;
    int64_t moment_ms = 0;
    bool reset = false;
    TRY(payload_time(rq, "set", &moment_ms));
    TRY(payload_flag(rq, "reset", &reset));
    if (json_object_size(rq->payload) != 1 || !(json_is_integer(advance) || set || reset))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "Write {\"advance_ms\": NUMBER}, {\"set\": \"2026-11-24T12:58:18Z\"} or {\"reset\": true}");
    if (reset)
        *out_ms = -rq->caraway->clock->offset_ms;
    else
        *out_ms = advance != NULL ? json_integer_value(advance) : moment_ms - rq->now_ms;
    return true;
}

bool clock_post(struct request *rq)
{
    struct world_jumps *clock = rq->caraway->clock;
    int64_t by_ms, then_ms;
    if (clock == NULL)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                            "The clock of a private CA is the machine's; the staging preset has one that can be moved");
    TRY(payload_read(rq));
    TRY(read_move(rq, &by_ms));
    if (__builtin_add_overflow(rq->now_ms, by_ms, &then_ms) || then_ms < CARAWAY_EARLIEST_MS || then_ms > LATEST_MS)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The clock can stand between the years 1971 and 9000");
    world_move(clock, by_ms);
    char moment[TIME_TEXT_SIZE];
    time_text(then_ms, moment);
    log_event(rq->caraway->log, LOG_CLOCK_MOVED, LOG_TEXT("now", moment), LOG_INT("offset_ms", clock->offset_ms));
    return reply_clock(rq);
}
