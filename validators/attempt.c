#include "validators/attempt.h"

#include "validators/caa.h"
#include "validators/worker.h"

#include <stdarg.h>
#include <stdio.h>

enum { TRACED_WAIT_MS = 10 };

static const struct val_method *const methods[CHALLENGE_TYPES] = {
    [CHALLENGE_HTTP_01] = &val_http01,
    [CHALLENGE_DNS_01] = &val_dns01,
    [CHALLENGE_TLS_ALPN_01] = &val_tlsalpn01,
    [CHALLENGE_DNS_ACCOUNT_01] = &val_dns01,
    [CHALLENGE_DNS_PERSIST_01] = &val_dnspersist01,
};

/* CAA without a challenge, which was met before. */
static void drop_nothing(struct val_attempt *attempt)
{
    (void)attempt;
}
static const struct val_method caa_alone = { sizeof(struct val_attempt), val_attempt_ok, drop_nothing };

uint64_t val_attempt_now(const struct val_attempt *attempt)
{
    return uv_now(&attempt->worker->loop);
}

void val_attempt_drop(struct val_attempt *attempt)
{
    attempt->method->drop(attempt);
    val_caa_drop(attempt);
    val_deadline_remove(&attempt->deadline);
    val_trace_free(&attempt->trace);
    free(attempt);
}

/* Whom the gate lets in now goes on here: a worker that gets done is one that has time. */
static void answer(struct val_worker *worker, struct validation *validation, const char *trace)
{
    struct validation *next = val_gate_leave(worker->shared->gate, validation);
    validation->trace = trace;
    validation->done(validation, validation->arg);
    while (next != NULL) {
        struct validation *one = next;
        next = one->queued_next;
        val_worker_give(worker, one);
    }
}

static void finish(struct val_attempt *attempt)
{
    answer(attempt->worker, attempt->validation, val_trace_finish(&attempt->trace));
    val_attempt_drop(attempt);
}

void val_attempt_run(struct val_attempt *attempt)
{
    enum val_turn turn;
    while ((turn = attempt->step(attempt)) == VAL_NEXT)
        continue;
    CHECK(turn == VAL_DONE || !attempt->timed_out);
    if (turn == VAL_DONE)
        finish(attempt);
}

/* The trace's clock runs from when the validation was asked for. */
static void trace_wait(struct val_attempt *attempt)
{
    uint64_t now = val_attempt_now(attempt), asked = (uint64_t)attempt->validation->asked_ms;
    uint64_t from = asked < now ? asked : now;
    val_trace_start(&attempt->trace, from);
    if (now - from < TRACED_WAIT_MS)
        return;
    val_trace_step(&attempt->trace, "queue", from, now);
    val_trace_end(&attempt->trace);
}

void val_attempt_start(struct val_worker *worker, struct validation *validation)
{
    CHECK((unsigned)validation->type < CHALLENGE_TYPES);
    validation->warned = false;
    validation->valid_until_ms = 0;
    const struct val_method *method = validation->caa_alone ? &caa_alone : methods[validation->type];
    struct val_attempt *attempt = calloc(1, method->bytes);
    if (attempt == NULL) {
        validation->ok = problem_out_of_memory(&validation->problem);
        answer(worker, validation, "[]");
        return;
    }
    attempt->method = method;
    attempt->worker = worker;
    attempt->validation = validation;
    attempt->step = method->first;
    trace_wait(attempt);
    val_deadline_add(&worker->attempts, &attempt->deadline);
    val_attempt_run(attempt);
}

enum val_turn val_attempt_ok(struct val_attempt *attempt)
{
    return val_caa_check(attempt);
}

enum val_turn val_attempt_fail(struct val_attempt *attempt, enum acme_problem_type type, const char *detail, ...)
{
    char text[PROBLEM_DETAIL_SIZE];
    va_list args;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    attempt->validation->ok = problem_fail(&attempt->validation->problem, type, "%s", text);
    return VAL_DONE;
}

enum val_turn val_attempt_internal(struct val_attempt *attempt, const char *cause)
{
    attempt->validation->ok = problem_internal(&attempt->validation->problem, "%s", cause);
    return VAL_DONE;
}
