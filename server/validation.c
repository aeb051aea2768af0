#include "server/validation.h"

#include "server/authorization.h"
#include "server/challenge.h"
#include "server/limit_rules.h"
#include "server/order.h"

#include <pthread.h>

enum { ATTEMPT_MAX_BYTES = 256 * 1024, RESUME_PAGE = 256 };

struct attempt {
    struct validation validation;
    struct store_job job;
    struct caraway *caraway;
    struct arena *arena;   /* the texts below, and what the job reads */
    struct arena *scratch; /* what one run of the job reads; made anew when it runs again */
    const char *authorization, *challenge;
    const char *error, *trace; /* JSON, once the outcome is known */
    const char *failed_order;  /* in scratch */
    struct attempt *next, *previous;
};

struct validations {
    pthread_mutex_t lock; /* guards first and its links */
    struct attempt *first;
};

struct validations *validations_create(void)
{
    struct validations *validations = calloc(1, sizeof *validations);
    if (validations != NULL)
        pthread_mutex_init(&validations->lock, NULL);
    return validations;
}

static void attempt_drop(struct attempt *attempt)
{
    if (attempt == NULL)
        return;
    arena_drop(attempt->arena);
    arena_drop(attempt->scratch);
    free(attempt);
}
DEFINE_DROP(attempt, attempt_drop)

void validations_drop(struct validations *validations)
{
    if (validations == NULL)
        return;
    while (validations->first != NULL) {
        struct attempt *attempt = validations->first;
        validations->first = attempt->next;
        attempt_drop(attempt);
    }
    pthread_mutex_destroy(&validations->lock);
    free(validations);
}

static void link_attempt(struct validations *validations, struct attempt *attempt)
{
    pthread_mutex_lock(&validations->lock);
    attempt->next = validations->first;
    if (attempt->next != NULL)
        attempt->next->previous = attempt;
    validations->first = attempt;
    pthread_mutex_unlock(&validations->lock);
}

static void unlink_attempt(struct validations *validations, struct attempt *attempt)
{
    pthread_mutex_lock(&validations->lock);
    if (attempt->previous != NULL)
        attempt->previous->next = attempt->next;
    else
        validations->first = attempt->next;
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
    pthread_mutex_unlock(&validations->lock);
}

/* ---- what follows from an outcome */

static bool all_valid(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms)
{
    for (size_t i = 0; i < order->authorizations.count; i++) {
        struct authorization one;
        TRY(store_get_authorization(txn, arena, order->authorizations.items[i], &one));
        TRY(authorization_state_at(&one, now_ms) == AUTHORIZATION_VALID);
    }
    return true;
}

static void update_order(struct store_txn *txn, struct attempt *attempt, const char *order_id, bool ok, int64_t now_ms)
{
    struct order order;
    if (!store_get_order(txn, attempt->scratch, order_id, &order) || order_state_at(&order, now_ms) != ORDER_PENDING)
        return;
    if (ok && !all_valid(txn, attempt->scratch, &order, now_ms))
        return;
    order_move(&order, ok ? ORDER_READY : ORDER_INVALID);
    attempt->failed_order = ok ? NULL : order_id;
    order.error = ok ? NULL : attempt->error;
    store_put_order(txn, &order);
}

static struct challenge *challenge_of(struct authorization *authorization, const char *type)
{
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        if (strcmp(authorization->challenges.items[i].type, type) == 0)
            return &authorization->challenges.items[i];
    }
    return NULL;
}

static void decide_authorization(struct store_txn *txn, struct authorization *authorization, struct attempt *attempt,
                                 int64_t now_ms)
{
    bool ok = attempt->validation.ok;
    if (authorization_state_at(authorization, now_ms) != AUTHORIZATION_PENDING)
        return;
    authorization_move(authorization, ok ? AUTHORIZATION_VALID : AUTHORIZATION_INVALID);
    limit_decided(attempt->caraway, txn, attempt->scratch, authorization, ok);
    if (ok)
        authorization->expires_ms = now_ms + attempt->caraway->settings->authorization_valid_lifetime_ms;
}

static void store_outcome(struct store_txn *txn, void *arg)
{
    struct attempt *attempt = arg;
    int64_t now_ms = world_now_ms(attempt->caraway->world);
    struct authorization authorization;
    arena_reset(attempt->scratch);
    attempt->failed_order = NULL;
    if (!store_get_authorization(txn, attempt->scratch, attempt->authorization, &authorization))
        return;
    struct challenge *challenge = challenge_of(&authorization, attempt->challenge);
    if (challenge == NULL || challenge->state != CHALLENGE_PROCESSING)
        return;
    challenge_move(challenge, attempt->validation.ok ? CHALLENGE_VALID : CHALLENGE_INVALID);
    challenge->validated_ms = attempt->validation.ok ? now_ms : 0;
    challenge->error = attempt->error;
    challenge->trace = attempt->trace;
    enum authorization_state before = authorization.state;
    decide_authorization(txn, &authorization, attempt, now_ms);
    store_put_authorization(txn, &authorization);
    for (size_t i = 0; authorization.state != before && i < authorization.orders.count; i++)
        update_order(txn, attempt, authorization.orders.items[i], attempt->validation.ok, now_ms);
}

static void outcome_stored(void *arg, enum store_status status)
{
    AUTO(attempt) attempt = arg;
    const struct validation *validation = &attempt->validation;
    struct log *log = attempt->caraway->log;
    unlink_attempt(attempt->caraway->validations, attempt);
    if (status != STORE_OK)
        log_event(log, LOG_STORE_FAILED, LOG_TEXT("authorization", attempt->authorization),
                  LOG_TEXT("cause", store_status_text(status)));
    log_event(log, validation->ok ? LOG_CHALLENGE_VALID : LOG_CHALLENGE_INVALID,
              LOG_TEXT("name", validation->identifier.value), LOG_TEXT("type", attempt->challenge),
              LOG_TEXT("detail", validation->ok ? NULL : validation->problem.detail),
              LOG_TEXT("authorization", attempt->authorization));
    if (attempt->failed_order != NULL)
        log_event(log, LOG_ORDER_FAILED, LOG_TEXT("order", attempt->failed_order));
}

static void outcome_known(struct validation *validation, void *arg)
{
    (void)validation;
    struct attempt *attempt = arg;
    attempt->trace = validation->trace != NULL ? arena_text(attempt->arena, validation->trace) : NULL;
    if (!validation->ok)
        attempt->error = problem_json(attempt->arena, &validation->problem);
    attempt->job = (struct store_job) { .work = store_outcome, .done = outcome_stored, .arg = attempt };
    store_submit(attempt->caraway->store, &attempt->job);
}

/* ---- starting */

static bool attempt_fill(struct attempt *attempt, const struct authorization *authorization,
                         const struct challenge *challenge, const char *thumbprint)
{
    struct arena *arena = attempt->arena = arena_create(ATTEMPT_MAX_BYTES);
    attempt->scratch = arena_create(ATTEMPT_MAX_BYTES);
    TRY(arena != NULL && attempt->scratch != NULL);
    struct validation *validation = &attempt->validation;
    attempt->authorization = arena_text(arena, authorization->id);
    attempt->challenge = arena_text(arena, challenge->type);
    validation->identifier = authorization->identifier;
    validation->identifier.value = arena_text(arena, authorization->identifier.value);
    const char *token = challenge->token != NULL ? challenge->token : "";
    validation->wildcard = authorization->wildcard || authorization->subdomains;
    validation->account_url = arena_text(arena, challenge->account_url != NULL ? challenge->account_url : "");
    validation->token = arena_text(arena, token);
    validation->key_authorization = key_authorization(arena, token, thumbprint);
    validation->issuers = attempt->caraway->settings->caa_identities.items;
    validation->issuer_count = attempt->caraway->settings->caa_identities.count;
    validation->now_ms = world_now_ms(attempt->caraway->world);
    validation->done = outcome_known;
    validation->arg = attempt;
    return attempt->authorization != NULL && attempt->challenge != NULL && validation->identifier.value != NULL &&
           validation->token != NULL && validation->account_url != NULL && validation->key_authorization != NULL &&
           challenge_type_from_text(challenge->type, &validation->type);
}

/* Memory out leaves the challenge processing in the store: the next start resumes it. */
void validation_begin(struct caraway *caraway, const struct authorization *authorization,
                      const struct challenge *challenge, const char *thumbprint)
{
    AUTO(attempt) attempt = calloc(1, sizeof *attempt);
    if (attempt != NULL)
        attempt->caraway = caraway;
    if (attempt == NULL || !attempt_fill(attempt, authorization, challenge, thumbprint)) {
        log_event(caraway->log, LOG_REQUEST_FAILED, LOG_TEXT("cause", "out of memory for a validation"));
        return;
    }
    log_event(caraway->log, LOG_CHALLENGE_STARTED, LOG_TEXT("name", attempt->validation.identifier.value),
              LOG_TEXT("type", attempt->challenge), LOG_TEXT("authorization", attempt->authorization));
    link_attempt(caraway->validations, attempt);
    validators_start(caraway->validators, &TAKE(attempt)->validation);
}

static bool resume_one(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const char *id)
{
    struct authorization authorization;
    struct account account;
    TRY(store_get_authorization(txn, arena, id, &authorization));
    TRY(store_get_account(txn, arena, authorization.account, &account));
    for (size_t i = 0; i < authorization.challenges.count; i++) {
        if (authorization.challenges.items[i].state == CHALLENGE_PROCESSING)
            validation_begin(caraway, &authorization, &authorization.challenges.items[i], account.thumbprint);
    }
    return true;
}

bool validations_resume(struct caraway *caraway)
{
    AUTO(store_txn) txn = store_begin_read(caraway->store);
    AUTO(arena) arena = arena_create(ATTEMPT_MAX_BYTES);
    AUTO(arena) position = arena_create(ATTEMPT_MAX_BYTES);
    TRY(txn != NULL && arena != NULL && position != NULL);
    const char *after = NULL;
    do {
        struct store_page page;
        arena_reset(arena);
        TRY(store_list(txn, arena, STORE_AUTHORIZATION_PROCESSING, "", after, RESUME_PAGE, false, &page));
        for (size_t i = 0; i < page.ids.count; i++)
            (void)resume_one(caraway, txn, arena, page.ids.items[i]);
        after = page.next != NULL ? arena_text(position, page.next) : NULL;
    } while (after != NULL);
    return true;
}
