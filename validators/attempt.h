/* One validation under way: an engine of small steps. Each challenge type is a row: how much state it needs, its first
 * step, and how to let go of what it has under way. A step never blocks; it says what comes next. */
#pragma once

#include "validators/deadlines.h"
#include "validators/trace.h"
#include "validators/validators.h"

enum val_turn {
    VAL_NEXT, /* run attempt->step now */
    VAL_WAIT, /* something is under way, which will call val_attempt_run */
    VAL_DONE  /* the validation's answer is filled in */
};

struct val_attempt;
typedef enum val_turn val_step(struct val_attempt *attempt);

struct val_method {
    size_t bytes; /* of a struct whose first member is the attempt */
    val_step *first;
    void (*drop)(struct val_attempt *attempt); /* cancels what is under way, frees what the steps made */
};
extern const struct val_method val_http01, val_dns01, val_tlsalpn01, val_dnspersist01;

struct val_worker;
struct val_caa;
struct val_attempt {
    const struct val_method *method;
    struct val_worker *worker;
    struct validation *validation;
    struct val_trace trace;
    val_step *step;
    struct val_caa *caa; /* once the challenge is met; see caa.h */
    struct val_deadline deadline;
    bool timed_out; /* total_timeout_ms has passed: the step that waits must say what did not come, and be done */
};

/* Takes the validation: done is called for it, now or later, unless the worker ends before. */
void val_attempt_start(struct val_worker *worker, struct validation *validation);
void val_attempt_run(struct val_attempt *attempt);
void val_attempt_drop(struct val_attempt *attempt); /* without calling done */

/* For steps: `return val_attempt_then(attempt, step, VAL_WAIT);` */
static inline enum val_turn val_attempt_then(struct val_attempt *attempt, val_step *step, enum val_turn turn)
{
    attempt->step = step;
    return turn;
}

/* For steps, to return: the answers. The challenge is met: what remains is CAA. */
enum val_turn val_attempt_ok(struct val_attempt *attempt);
enum val_turn val_attempt_fail(struct val_attempt *attempt, enum acme_problem_type type, const char *detail, ...)
    PRINTF_LIKE(3, 4);
enum val_turn val_attempt_internal(struct val_attempt *attempt, const char *cause);
uint64_t val_attempt_now(const struct val_attempt *attempt);
