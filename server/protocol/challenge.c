#include "server/protocol/challenge.h"

#include "server/protocol/authorization.h"
#include "server/caraway.h"
#include "server/protocol/persist.h"
#include "server/policy/policy.h"
#include "server/protocol/validation.h"
#include "server/protocol/validation_record.h"

#include <stdio.h>

/* RFC 8555 §7.1.6:   pending ──▶ processing ──▶ valid, invalid */
void challenge_move(struct challenge *challenge, enum challenge_state to)
{
    CHECK(state_may(&challenge_states, challenge->state, to));
    challenge->state = to;
}

/* One failure as it is; several as a compound of all (§6.7.1, §8.2). */
static void challenge_write_error(struct json_out *out, const struct challenge *challenge)
{
    size_t count = challenge->failures.count;
    struct acme_problem compound;
    if (count == 1) {
        json_out_raw(out, "error", challenge->failures.items[0]);
        return;
    }
    problem_fail(&compound, PROBLEM_COMPOUND, "%zu tries failed; the subproblems say how", count);
    compound.failures = challenge->failures.items;
    compound.failure_count = count;
    problem_write(out, "error", &compound);
}

void challenge_write(struct json_out *out, struct request *rq, const struct authorization *authorization,
                     const struct challenge *challenge)
{
    const char *url = request_url(rq, "/challenge/%s/%s", authorization->id, challenge->type);
    json_out_object(out, NULL);
    json_out_text(out, "type", challenge->type);
    json_out_text(out, "url", url != NULL ? url : "");
    json_out_text(out, "status", state_text(&challenge_states, challenge->state));
    if (challenge->token != NULL)
        json_out_text(out, "token", challenge->token);
    if (challenge->token == NULL)
        persist_write_challenge(out, rq);
    if (challenge->validated_ms != 0)
        json_out_time(out, "validated", challenge->validated_ms);
    if (challenge->failures.count > 0)
        challenge_write_error(out, challenge);
    if (rq->caraway->settings->validation_show_records)
        validation_record_write(out, challenge, &authorization->identifier);
    json_out_end_object(out);
    out->buf->failed |= url == NULL;
}

/* While a failed challenge waits for its next try, that is when to look again. */
void challenge_retry_after(struct request *rq, const struct challenge *challenge)
{
    const struct settings *settings = rq->caraway->settings;
    int64_t ms = challenge->failures.count > 0 ? settings->validation_retry_interval_ms + 1000
                                               : settings->retry_after_authorization_ms;
    reply_header(rq, "Retry-After", arena_printf(rq->arena, "%d", (int)(ms / 1000)));
}

/* ---- starting (§7.5.1) */

struct challenge_start {
    struct authorization authorization;
    struct challenge *challenge;
    struct attempt *attempt; /* owned until it begins */
    bool started;
};

static void begin_if_stored(struct request *rq)
{
    struct challenge_start *state = rq->state;
    if (state->started && rq->store_status == STORE_OK && state->attempt != NULL)
        attempt_begin(TAKE(state->attempt));
}

/* The client may have gone before it could be answered; what is stored goes on. */
static void release_attempt(struct request *rq)
{
    struct challenge_start *state = rq->state;
    begin_if_stored(rq);
    attempt_drop(state->attempt);
}

static bool find_challenge(struct request *rq, struct challenge_start *state)
{
    struct challenge_list *list = &state->authorization.challenges;
    for (size_t i = 0; i < list->count; i++) {
        state->challenge = &list->items[i];
        if (strcmp(state->challenge->type, rq->params[1]) == 0)
            return true;
    }
    return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "The authorization has no challenge \"%.50s\"",
                               rq->params[1]);
}

static bool challenge_reply(struct request *rq, const struct challenge_start *state)
{
    reply_link(rq, "up", request_url(rq, "/authorization/%s", state->authorization.id));
    reply_header(rq, "Location", request_url(rq, "%s", rq->target));
    if (state->challenge->state == CHALLENGE_PROCESSING)
        challenge_retry_after(rq, state->challenge);
    struct json_out out = reply_json(rq, 200);
    challenge_write(&out, rq, &state->authorization, state->challenge);
    return true;
}

static bool store_start(struct store_txn *txn, struct request *rq)
{
    struct challenge_start *state = rq->state;
    state->started = false;
    TRY(authorization_load(rq, txn, &state->authorization));
    TRY(find_challenge(rq, state));
    enum authorization_state now = authorization_state_at(&state->authorization, rq->now_ms);
    if (state->challenge->state != CHALLENGE_PENDING)
        return true; /* a repeated POST: the answer is where things stand */
    if (now != AUTHORIZATION_PENDING)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The authorization is %s; its challenges cannot be tried any more. Make a new order",
                            state_text(&authorization_states, now));
    challenge_move(state->challenge, CHALLENGE_PROCESSING);
    state->challenge->account_url = rq->jws.kid;
    store_put_authorization(txn, &state->authorization);
    state->started = true;
    return true;
}

static bool after_start(struct request *rq)
{
    begin_if_stored(rq);
    return challenge_reply(rq, rq->state);
}

/* The rules may have been narrowed since the challenge was offered, the server's settings too. */
static bool check_policy(struct request *rq, const struct challenge *challenge)
{
    struct policy policy;
    enum acme_challenge_type type;
    if (!challenge_type_from_text(challenge->type, &type) || !authorization_offers(rq->caraway->settings, type))
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                            "This server does not take the challenge %s any more; make a new order", challenge->type);
    TRY(policy_of_request(rq, &policy));
    return policy_takes_challenge(&policy, challenge->type) ||
           problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This account may no longer use the challenge %s",
                        challenge->type);
}

/* Later rather than in vain: the challenge stays as it is. */
static bool check_room(struct request *rq)
{
    if (validators_have_room(rq->caraway->validators))
        return true;
    problem_fail_status(&rq->problem, PROBLEM_SERVER_INTERNAL, 503,
                        "The server has as many validations under way as it can. Try again later.");
    snprintf(rq->problem.cause, sizeof rq->problem.cause, "descriptors for validations have run out (ulimit -n)");
    return false;
}

bool challenge_post(struct request *rq)
{
    struct challenge_start *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(authorization_read(rq, &state->authorization));
    TRY(find_challenge(rq, state));
    if (rq->payload != NULL && state->challenge->state == CHALLENGE_PROCESSING)
        validation_hurry(rq->caraway, &state->authorization, state->challenge);
    if (rq->payload == NULL || state->challenge->state != CHALLENGE_PENDING)
        return challenge_reply(rq, state);
    TRY(check_policy(rq, state->challenge) && check_room(rq));
    state->challenge->account_url = rq->jws.kid;
    state->attempt = attempt_create(rq->caraway, &state->authorization, state->challenge, &rq->account);
    if (state->attempt == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->state = state;
    rq->release = release_attempt;
    request_submit(rq, store_start, after_start);
    return true;
}
