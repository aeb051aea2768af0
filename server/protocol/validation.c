#include "server/protocol/validation.h"

#include "base/list.h"
#include "server/protocol/authorization.h"
#include "server/protocol/challenge.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/protocol/outcome.h"
#include "server/protocol/persist.h"

#include <pthread.h>

enum { ATTEMPT_MAX_BYTES = 256 * 1024, WAITING_BYTES = 512, RESUME_PAGE = 256, HURRY_LEAST_MS = 1000, OUR_TRIES = 10 };

struct attempt {
    struct validation validation;
    struct outcome storing;
    struct caraway *caraway;
    struct later_task retry;
    struct arena *arena;   /* what is to be validated */
    struct arena *outcome; /* what one try gave */
    struct arena *scratch; /* what one run of the job reads; made anew when it runs again */
    const char *authorization, *challenge;
    const char *error, *trace; /* JSON in `outcome`, once it is known */
    const char *failed_order;  /* in scratch */
    bool again;                /* the challenge goes on processing */
    struct list link;          /* in the validations */
};

struct validations {
    pthread_mutex_t lock; /* guards attempts */
    struct list attempts;
};

struct validations *validations_create(void)
{
    struct validations *validations = calloc(1, sizeof *validations);
    if (validations == NULL)
        return NULL;
    pthread_mutex_init(&validations->lock, NULL);
    list_init(&validations->attempts);
    return validations;
}

void attempt_drop(struct attempt *attempt)
{
    if (attempt == NULL)
        return;
    arena_drop(attempt->arena);
    arena_drop(attempt->outcome);
    arena_drop(attempt->scratch);
    free(attempt);
}

void validations_drop(struct validations *validations)
{
    if (validations == NULL)
        return;
    for (struct list *first; (first = list_first(&validations->attempts)) != NULL;) {
        list_remove(first);
        attempt_drop(CONTAINER_OF(first, struct attempt, link));
    }
    pthread_mutex_destroy(&validations->lock);
    free(validations);
}

static void link_attempt(struct validations *validations, struct attempt *attempt)
{
    pthread_mutex_lock(&validations->lock);
    list_add(&validations->attempts, &attempt->link);
    pthread_mutex_unlock(&validations->lock);
}

static void unlink_attempt(struct validations *validations, struct attempt *attempt)
{
    pthread_mutex_lock(&validations->lock);
    list_remove(&attempt->link);
    pthread_mutex_unlock(&validations->lock);
}

/* ---- what follows from an outcome */

static void update_order(struct store_txn *txn, struct attempt *attempt, const struct authorization *authorization,
                         const char *order_id, int64_t now_ms)
{
    bool ok = attempt->validation.ok;
    struct order order;
    if (!store_get_order(txn, attempt->scratch, order_id, &order) || order_state_at(&order, now_ms) != ORDER_PENDING)
        return;
    if (ok && !order_is_proved(txn, &order, authorization, now_ms))
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

static int64_t valid_until_ms(const struct attempt *attempt, int64_t now_ms)
{
    int64_t most = attempt->validation.valid_until_ms;
    int64_t usual = now_ms + attempt->caraway->settings->authorization_valid_lifetime_ms;
    return most != 0 && most < usual ? most : usual;
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
        authorization->expires_ms = valid_until_ms(attempt, now_ms);
}

/* What fails for a want of our own, as of descriptors, is no fault of the client's. */
static int64_t tries_of(const struct attempt *attempt)
{
    int64_t tries = attempt->caraway->settings->validation_tries;
    bool ours = attempt->validation.problem.type == PROBLEM_SERVER_INTERNAL;
    return ours && tries < OUR_TRIES ? OUR_TRIES : tries;
}

/* RFC 8555 §8.2: a query that fails may be tried again, while the challenge stays in processing and shows every
 * failure. A wrong answer is an answer: only what came to none is asked for again. */
static bool is_worth_another(const struct attempt *attempt, const struct challenge *challenge,
                             const struct authorization *authorization, int64_t now_ms)
{
    static const enum acme_problem_type passing[] = { PROBLEM_CONNECTION, PROBLEM_DNS, PROBLEM_TLS,
                                                      PROBLEM_SERVER_INTERNAL };
    const struct validation *validation = &attempt->validation;
    if (validation->ok || (int64_t)challenge->failures.count >= tries_of(attempt) ||
        authorization_state_at(authorization, now_ms) != AUTHORIZATION_PENDING)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(passing); i++) {
        if (validation->problem.type == passing[i])
            return true;
    }
    return false;
}

static void add_failure(struct store_txn *txn, struct attempt *attempt, struct challenge *challenge)
{
    size_t count = challenge->failures.count;
    const char **items = arena_array(attempt->scratch, count + 1, sizeof *items);
    if (items == NULL || attempt->error == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    if (count > 0)
        memcpy(items, challenge->failures.items, count * sizeof *items);
    items[count] = attempt->error;
    challenge->failures = (struct texts) { items, count + 1 };
}

static void settle(struct store_txn *txn, struct attempt *attempt, struct authorization *authorization,
                   struct challenge *challenge, int64_t now_ms)
{
    bool ok = attempt->validation.ok;
    enum authorization_state before = authorization->state;
    challenge_move(challenge, ok ? CHALLENGE_VALID : CHALLENGE_INVALID);
    challenge->validated_ms = ok ? now_ms : 0;
    decide_authorization(txn, authorization, attempt, now_ms);
    for (size_t i = 0; authorization->state != before && i < authorization->orders.count; i++)
        update_order(txn, attempt, authorization, authorization->orders.items[i], now_ms);
}

/* An account that was closed meanwhile proves nothing any more (draft-ietf-acme-dns-persist-02 §4.2). */
static void check_account(struct store_txn *txn, struct attempt *attempt, const char *id)
{
    struct validation *validation = &attempt->validation;
    struct account account;
    if (!validation->ok || (store_get_account(txn, attempt->scratch, id, &account) && account.state == ACCOUNT_VALID))
        return;
    validation->ok = problem_fail(&validation->problem, PROBLEM_UNAUTHORIZED, "The account has been closed");
    attempt->error = problem_json(attempt->outcome, &validation->problem);
}

static void store_outcome(struct store_txn *txn, void *arg)
{
    struct attempt *attempt = arg;
    int64_t now_ms = world_now_ms(attempt->caraway->world);
    struct authorization authorization;
    arena_reset(attempt->scratch);
    attempt->failed_order = NULL;
    attempt->again = false;
    if (!store_get_authorization(txn, attempt->scratch, attempt->authorization, &authorization))
        return;
    struct challenge *challenge = challenge_of(&authorization, attempt->challenge);
    if (challenge == NULL || challenge->state != CHALLENGE_PROCESSING)
        return;
    check_account(txn, attempt, authorization.account);
    if (!attempt->validation.ok)
        add_failure(txn, attempt, challenge);
    challenge->trace = attempt->trace;
    attempt->again = is_worth_another(attempt, challenge, &authorization, now_ms);
    if (!attempt->again)
        settle(txn, attempt, &authorization, challenge, now_ms);
    store_put_authorization(txn, &authorization);
}

static void log_outcome(const struct attempt *attempt)
{
    const struct validation *validation = &attempt->validation;
    struct log *log = attempt->caraway->log;
    log_event(
        log,
        validation->ok   ? LOG_CHALLENGE_VALID
        : attempt->again ? LOG_CHALLENGE_FAILED
                         : LOG_CHALLENGE_INVALID,
        LOG_TEXT("name", validation->identifier.value), LOG_TEXT("type", attempt->challenge),
        LOG_TEXT("detail", validation->ok && !validation->warned ? NULL : validation->problem.detail),
        LOG_TEXT("cause", validation->ok || validation->problem.cause[0] == '\0' ? NULL : validation->problem.cause),
        LOG_TEXT("authorization", attempt->authorization));
    if (attempt->failed_order != NULL)
        log_event(log, LOG_ORDER_FAILED, LOG_TEXT("order", attempt->failed_order));
}

static void try_again(struct later_task *task)
{
    struct attempt *attempt = CONTAINER_OF(task, struct attempt, retry);
    attempt->validation.ok = false;
    attempt->validation.trace = NULL;
    attempt->validation.now_ms = world_now_ms(attempt->caraway->world);
    validators_start(attempt->caraway->validators, &attempt->validation);
}

static void outcome_stored(void *arg)
{
    struct attempt *attempt = arg;
    struct caraway *caraway = attempt->caraway;
    log_outcome(attempt);
    if (attempt->again) {
        attempt->retry.run = try_again;
        later_add(caraway->later, &attempt->retry,
                  world_now_ms(caraway->world) + caraway->settings->validation_retry_interval_ms);
        return;
    }
    unlink_attempt(caraway->validations, attempt);
    attempt_drop(attempt);
}

struct hurry {
    const char *authorization, *challenge;
};

static bool is_hurried(const struct later_task *task, const void *arg)
{
    const struct attempt *attempt = CONTAINER_OF(task, const struct attempt, retry);
    const struct hurry *hurry = arg;
    TRY(task->run == try_again);
    int64_t tried_ms = task->due_ms - attempt->caraway->settings->validation_retry_interval_ms;
    return strcmp(attempt->authorization, hurry->authorization) == 0 &&
           strcmp(attempt->challenge, hurry->challenge) == 0 &&
           world_now_ms(attempt->caraway->world) - tried_ms >= HURRY_LEAST_MS;
}

void validation_hurry(struct caraway *caraway, const struct authorization *authorization,
                      const struct challenge *challenge)
{
    const struct hurry hurry = { authorization->id, challenge->type };
    later_hurry(caraway->later, is_hurried, &hurry);
}

static void outcome_known(struct validation *validation, void *arg)
{
    (void)validation;
    struct attempt *attempt = arg;
    arena_reset(attempt->outcome);
    attempt->trace = validation->trace != NULL ? arena_text(attempt->outcome, validation->trace) : NULL;
    attempt->error = validation->ok ? NULL : problem_json(attempt->outcome, &validation->problem);
    attempt->storing = (struct outcome) {
        .caraway = attempt->caraway,
        .work = store_outcome,
        .stored = outcome_stored,
        .arg = attempt,
        .what = "authorization",
        .id = attempt->authorization,
    };
    outcome_store(&attempt->storing);
}

/* ---- starting */

static bool attempt_fill(struct attempt *attempt, const struct authorization *authorization,
                         const struct challenge *challenge, const struct account *account)
{
    const struct settings *settings = attempt->caraway->settings;
    struct arena *arena = attempt->arena = arena_create_in_chunks(ATTEMPT_MAX_BYTES, WAITING_BYTES);
    attempt->scratch = arena_create(ATTEMPT_MAX_BYTES);
    attempt->outcome = arena_create(ATTEMPT_MAX_BYTES);
    TRY(arena != NULL && attempt->scratch != NULL && attempt->outcome != NULL);
    struct validation *validation = &attempt->validation;
    attempt->authorization = arena_text(arena, authorization->id);
    attempt->challenge = arena_text(arena, challenge->type);
    validation->identifier = authorization->identifier;
    validation->identifier.value = arena_text(arena, authorization->identifier.value);
    const char *token = challenge->token != NULL ? challenge->token : "";
    validation->wildcard = authorization->wildcard;
    validation->subdomains = authorization->subdomains;
    validation->account_url = arena_text(arena, challenge->account_url != NULL ? challenge->account_url : "");
    validation->token = arena_text(arena, token);
    validation->key_authorization = key_authorization(arena, token, account->thumbprint);
    validation->issuers = settings->caa_identities.items;
    validation->issuer_count = settings->caa_identities.count;
    validation->now_ms = world_now_ms(attempt->caraway->world);
    validation->done = outcome_known;
    validation->arg = attempt;
    return attempt->authorization != NULL && attempt->challenge != NULL && validation->identifier.value != NULL &&
           validation->token != NULL && validation->account_url != NULL && validation->key_authorization != NULL &&
           challenge_type_from_text(challenge->type, &validation->type) &&
           persist_fill(arena, settings, account, validation);
}

struct attempt *attempt_create(struct caraway *caraway, const struct authorization *authorization,
                               const struct challenge *challenge, const struct account *account)
{
    AUTO(attempt) attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL)
        return NULL;
    attempt->caraway = caraway;
    return attempt_fill(attempt, authorization, challenge, account) ? TAKE(attempt) : NULL;
}

void attempt_begin(struct attempt *attempt)
{
    struct caraway *caraway = attempt->caraway;
    log_event(caraway->log, LOG_CHALLENGE_STARTED, LOG_TEXT("name", attempt->validation.identifier.value),
              LOG_TEXT("type", attempt->challenge), LOG_TEXT("authorization", attempt->authorization));
    link_attempt(caraway->validations, attempt);
    validators_start(caraway->validators, &attempt->validation);
}

static bool resume_challenge(struct caraway *caraway, const struct authorization *authorization,
                             const struct challenge *challenge, const struct account *account)
{
    struct attempt *attempt = attempt_create(caraway, authorization, challenge, account);
    TRY(attempt != NULL);
    attempt_begin(attempt);
    return true;
}

static bool resume_one(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const char *id)
{
    struct authorization authorization;
    struct account account;
    arena_reset(arena);
    TRY(store_get_authorization(txn, arena, id, &authorization));
    TRY(store_get_account(txn, arena, authorization.account, &account));
    for (size_t i = 0; i < authorization.challenges.count; i++) {
        const struct challenge *challenge = &authorization.challenges.items[i];
        TRY(challenge->state != CHALLENGE_PROCESSING || resume_challenge(caraway, &authorization, challenge, &account));
    }
    return true;
}

bool validations_resume(struct caraway *caraway)
{
    AUTO(store_txn) txn = store_begin_read(caraway->store);
    AUTO(arena) ids = arena_create(ATTEMPT_MAX_BYTES);
    AUTO(arena) scratch = arena_create(ATTEMPT_MAX_BYTES);
    AUTO(arena) position = arena_create(ATTEMPT_MAX_BYTES);
    TRY(txn != NULL && ids != NULL && scratch != NULL && position != NULL);
    const char *after = NULL;
    do {
        struct store_page page;
        arena_reset(ids);
        TRY(store_list(txn, ids, STORE_AUTHORIZATION_PROCESSING, "", after, RESUME_PAGE, false, &page));
        for (size_t i = 0; i < page.ids.count; i++)
            if (!resume_one(caraway, txn, scratch, page.ids.items[i]))
                log_event(caraway->log, LOG_REQUEST_FAILED, LOG_TEXT("authorization", page.ids.items[i]),
                          LOG_TEXT("cause", "a challenge in processing cannot be validated"));
        after = page.next != NULL ? arena_text(position, page.next) : NULL;
    } while (after != NULL);
    return true;
}
