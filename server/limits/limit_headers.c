#include "server/limits/limit_headers.h"

#include "server/caraway.h"

struct limit_state {
    bool noted;
    struct rate rate;
    int64_t remaining, full_in_s;
};

void limit_note(struct store_txn *txn, struct request *rq, const struct limit_asks *asks)
{
    const struct limits *limits = rq->caraway->limits;
    if (!rq->caraway->settings->limits_headers)
        return;
    struct limit_state *states = arena_array(rq->arena, LIMITS, sizeof *states);
    if (states == NULL)
        return;
    memset(states, 0, LIMITS * sizeof *states);
    for (size_t i = 0; i < asks->count; i++) {
        const struct limit_ask *ask = &asks->items[i];
        struct limit_state *state = &states[ask->limit];
        struct rate rate = limit_rate(limits, ask);
        struct rate_verdict verdict = limit_look(limits, txn, rq->arena, ask, rq->now_ms, 0);
        if (rate.count == 0 || (state->noted && state->remaining <= verdict.remaining))
            continue;
        *state = (struct limit_state) { true, rate, verdict.remaining,
                                        (verdict.tat_us - rq->now_ms * 1000 + 999999) / 1000000 };
    }
    rq->limit_states = states;
}

void limit_add_headers(struct request *rq)
{
    AUTO_BUF(policy, 1024);
    AUTO_BUF(left, 1024);
    for (unsigned i = 0; rq->limit_states != NULL && i < LIMITS; i++) {
        const struct limit_state *state = &rq->limit_states[i];
        const char *comma = policy.len > 0 ? ", " : "";
        if (!state->noted)
            continue;
        buf_printf(&policy, "%s\"%s\";q=%lld;w=%lld", comma, limit_name(i), (long long)state->rate.count,
                   (long long)(state->rate.period_us / 1000000));
        buf_printf(&left, "%s\"%s\";r=%lld;t=%lld", comma, limit_name(i), (long long)state->remaining,
                   (long long)state->full_in_s);
    }
    if (policy.len == 0)
        return;
    reply_header(rq, "RateLimit-Policy", arena_text(rq->arena, buf_str(&policy)));
    reply_header(rq, "RateLimit", arena_text(rq->arena, buf_str(&left)));
}
