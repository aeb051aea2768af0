#include "server/authorization.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/payload.h"
#include "server/validation.h"

enum { TOKEN_BYTES = 32 };

/* RFC 8555 §7.1.6:
 *    pending ──▶ valid ──▶ expired, deactivated, revoked
 *       └──────▶ invalid, expired, deactivated */
void authorization_move(struct authorization *authorization, enum authorization_state to)
{
    CHECK(state_may(&authorization_states, authorization->state, to));
    authorization->state = to;
}

/* RFC 8555 §7.1.6:   pending ──▶ processing ──▶ valid, invalid */
void challenge_move(struct challenge *challenge, enum challenge_state to)
{
    CHECK(state_may(&challenge_states, challenge->state, to));
    challenge->state = to;
}

enum authorization_state authorization_state_at(const struct authorization *authorization, int64_t now_ms)
{
    bool may_expire = authorization->state == AUTHORIZATION_PENDING || authorization->state == AUTHORIZATION_VALID;
    return may_expire && now_ms >= authorization->expires_ms ? AUTHORIZATION_EXPIRED : authorization->state;
}

/* ---- making */

static bool make_challenges(struct request *rq, const struct acme_identifier *identifier, struct challenge_list *out)
{
    uint8_t random[TOKEN_BYTES];
    world_random(rq->caraway->world, random, sizeof random);
    const char *token = arena_b64url(rq->arena, bytes_of(random, sizeof random));
    out->items = arena_array(rq->arena, CHALLENGE_TYPES, sizeof *out->items);
    if (token == NULL || out->items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (unsigned type = 0; type < CHALLENGE_TYPES; type++) {
        if (challenge_offered(type, identifier))
            out->items[out->count++] =
                (struct challenge) { .type = challenge_type_text(type), .token = token, .state = CHALLENGE_PENDING };
    }
    return true;
}

bool authorization_make(struct request *rq, const char *order_id, const struct acme_identifier *identifier,
                        struct authorization *out)
{
    char id[ID_SIZE];
    world_make_id(rq->caraway->world, id);
    *out = (struct authorization) {
        .id = arena_text(rq->arena, id),
        .account = rq->account.id,
        .state = AUTHORIZATION_PENDING,
        .identifier = { identifier->type, identifier_base(identifier) },
        .wildcard = identifier_is_wildcard(identifier),
        .created_ms = rq->now_ms,
        .expires_ms = rq->now_ms + rq->caraway->settings->authorization_lifetime_ms,
        .orders = { arena_array(rq->arena, 1, sizeof(char *)), 1 },
    };
    if (out->id == NULL || out->orders.items == NULL)
        return problem_out_of_memory(&rq->problem);
    out->orders.items[0] = order_id;
    return make_challenges(rq, identifier, &out->challenges);
}

/* ---- reading */

bool authorization_find_valid(struct store_txn *txn, struct request *rq, const struct acme_identifier *identifier,
                              bool wildcard, struct authorization *out)
{
    const char *subject = store_subject_of_authorization(rq->arena, rq->account.id, identifier, wildcard);
    struct store_page page;
    return subject != NULL && store_list(txn, rq->arena, STORE_AUTHORIZATION_BY_NAME, subject, NULL, 1, true, &page) &&
           page.ids.count > 0 && store_get_authorization(txn, rq->arena, page.ids.items[0], out) &&
           authorization_state_at(out, rq->now_ms) == AUTHORIZATION_VALID;
}

static bool authorization_load(struct request *rq, struct store_txn *txn, struct authorization *out)
{
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an authorization");
    if (!store_get_authorization(txn, rq->arena, rq->params[0], out)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading an authorization");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no authorization %s", rq->params[0]);
    }
    if (strcmp(out->account, rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This authorization belongs to another account");
    return true;
}

static bool authorization_read(struct request *rq, struct authorization *out)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    return authorization_load(rq, txn, out);
}

static void write_challenge(struct json_out *out, struct request *rq, const struct authorization *authorization,
                            const struct challenge *challenge)
{
    const char *url = request_url(rq, "/challenge/%s/%s", authorization->id, challenge->type);
    json_out_object(out, NULL);
    json_out_text(out, "type", challenge->type);
    json_out_text(out, "url", url != NULL ? url : "");
    json_out_text(out, "status", state_text(&challenge_states, challenge->state));
    json_out_text(out, "token", challenge->token);
    if (challenge->validated_ms != 0)
        json_out_time(out, "validated", challenge->validated_ms);
    if (challenge->error != NULL)
        json_out_raw(out, "error", challenge->error);
    json_out_end_object(out);
    out->buf->failed |= url == NULL;
}

static bool any_processing(const struct authorization *authorization)
{
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        if (authorization->challenges.items[i].state == CHALLENGE_PROCESSING)
            return true;
    }
    return false;
}

static void reply_retry_after(struct request *rq)
{
    int64_t ms = rq->caraway->settings->retry_after_authorization_ms;
    reply_header(rq, "Retry-After", arena_printf(rq->arena, "%d", (int)(ms / 1000)));
}

static bool authorization_reply(struct request *rq, const struct authorization *authorization)
{
    enum authorization_state state = authorization_state_at(authorization, rq->now_ms);
    if (state == AUTHORIZATION_PENDING && any_processing(authorization))
        reply_retry_after(rq);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_text(&out, "status", state_text(&authorization_states, state));
    json_out_time(&out, "expires", authorization->expires_ms);
    json_out_object(&out, "identifier");
    json_out_text(&out, "type", identifier_type_text(authorization->identifier.type));
    json_out_text(&out, "value", authorization->identifier.value);
    json_out_end_object(&out);
    if (authorization->wildcard)
        json_out_bool(&out, "wildcard", true);
    json_out_array(&out, "challenges");
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        const struct challenge *challenge = &authorization->challenges.items[i];
        /* §7.1.4: once it is decided, only what was tried is shown */
        if (authorization->state == AUTHORIZATION_PENDING || challenge->state != CHALLENGE_PENDING)
            write_challenge(&out, rq, authorization, challenge);
    }
    json_out_end_array(&out);
    json_out_end_object(&out);
    return true;
}

/* ---- deactivation (§7.5.2) */

static bool store_deactivation(struct store_txn *txn, struct request *rq)
{
    struct authorization *authorization = rq->state;
    TRY(authorization_load(rq, txn, authorization));
    enum authorization_state state = authorization_state_at(authorization, rq->now_ms);
    if (state == AUTHORIZATION_DEACTIVATED)
        return true;
    if (!state_may(&authorization_states, state, AUTHORIZATION_DEACTIVATED))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The authorization is %s and cannot be deactivated",
                            state_text(&authorization_states, state));
    authorization_move(authorization, AUTHORIZATION_DEACTIVATED);
    store_put_authorization(txn, authorization);
    return true;
}

static bool after_deactivation(struct request *rq)
{
    return authorization_reply(rq, rq->state);
}

bool authorization_post(struct request *rq)
{
    struct authorization *authorization = arena_alloc(rq->arena, sizeof *authorization);
    if (authorization == NULL)
        return problem_out_of_memory(&rq->problem);
    const char *status = NULL;
    TRY(authorization_read(rq, authorization));
    TRY(payload_text(rq, "status", &status));
    if (status == NULL)
        return authorization_reply(rq, authorization);
    if (strcmp(status, "deactivated") != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"status\" can only be set to \"deactivated\"");
    rq->state = authorization;
    request_submit(rq, store_deactivation, after_deactivation);
    return true;
}

/* ---- challenges (§7.5.1) */

struct challenge_start {
    struct authorization authorization;
    struct challenge *challenge;
    bool started;
};

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
        reply_retry_after(rq);
    struct json_out out = reply_json(rq, 200);
    write_challenge(&out, rq, &state->authorization, state->challenge);
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
    store_put_authorization(txn, &state->authorization);
    state->started = true;
    return true;
}

static bool after_start(struct request *rq)
{
    const struct challenge_start *state = rq->state;
    if (state->started)
        validation_begin(rq->caraway, &state->authorization, state->challenge, rq->account.thumbprint);
    return challenge_reply(rq, state);
}

bool challenge_post(struct request *rq)
{
    struct challenge_start *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(authorization_read(rq, &state->authorization));
    TRY(find_challenge(rq, state));
    if (rq->payload == NULL || state->challenge->state != CHALLENGE_PENDING)
        return challenge_reply(rq, state);
    rq->state = state;
    request_submit(rq, store_start, after_start);
    return true;
}
