#include "server/protocol/recheck.h"

#include "base/list.h"
#include "server/protocol/proof.h"

#include <pthread.h>

enum { RECHECK_MAX_BYTES = 512 * 1024 };

struct rechecks {
    pthread_mutex_t lock; /* guards what follows, and what recheck says */
    struct list all;
    bool closed;
};

struct recheck {
    struct caraway *caraway;
    struct arena *arena;
    const char *order; /* id */
    struct validation *questions;
    size_t count;
    /* guarded by the rechecks' lock */
    void (*done)(void *arg); /* NULL: nobody waits */
    void *arg;
    size_t left;      /* questions that are not answered */
    bool dropped;     /* frees itself with the last answer */
    bool cut;         /* done was called before the last answer */
    struct list link; /* while there are any left */
};

/* ---- all of them */

struct rechecks *rechecks_create(void)
{
    struct rechecks *rechecks = calloc(1, sizeof *rechecks);
    if (rechecks == NULL)
        return NULL;
    pthread_mutex_init(&rechecks->lock, NULL);
    list_init(&rechecks->all);
    return rechecks;
}

static void recheck_free(struct recheck *recheck)
{
    arena_drop(recheck->arena);
    free(recheck->questions);
    free(recheck);
}

/* One for which somebody waits, who from now on is told that he does so in vain. */
static struct recheck *cut_one(struct rechecks *rechecks)
{
    LIST_EACH (&rechecks->all, link) {
        struct recheck *recheck = CONTAINER_OF(link, struct recheck, link);
        if (recheck->done == NULL)
            continue;
        recheck->cut = true;
        return recheck;
    }
    return NULL;
}

void rechecks_close(struct rechecks *rechecks)
{
    struct recheck *recheck;
    do {
        void (*done)(void *arg) = NULL;
        void *arg = NULL;
        pthread_mutex_lock(&rechecks->lock);
        rechecks->closed = true;
        recheck = cut_one(rechecks);
        if (recheck != NULL) {
            arg = recheck->arg;
            done = TAKE(recheck->done);
        }
        pthread_mutex_unlock(&rechecks->lock);
        if (done != NULL)
            done(arg);
    } while (recheck != NULL);
}

void rechecks_drop(struct rechecks *rechecks)
{
    if (rechecks == NULL)
        return;
    for (struct list *first; (first = list_first(&rechecks->all)) != NULL;) {
        list_remove(first);
        recheck_free(CONTAINER_OF(first, struct recheck, link));
    }
    pthread_mutex_destroy(&rechecks->lock);
    free(rechecks);
}

/* ---- what is to be asked */

static bool is_due(const struct settings *settings, const struct name_proof *proof, int64_t now_ms)
{
    return !proof->by_policy && (!proof->of_itself || now_ms - proof->validated_ms >= settings->caa_recheck_after_ms);
}

static void answered(struct validation *question, void *arg);

static bool add_question(struct recheck *recheck, const struct acme_identifier *identifier,
                         const struct name_proof *proof, int64_t now_ms)
{
    const struct setting_texts *issuers = &recheck->caraway->settings->caa_identities;
    struct validation *question = &recheck->questions[recheck->count++];
    *question = (struct validation) {
        .type = proof->type,
        .identifier = { identifier->type, arena_text(recheck->arena, identifier_base(identifier)) },
        .account_url = proof->account_url,
        .wildcard = identifier_is_wildcard(identifier),
        .issuers = issuers->items,
        .issuer_count = issuers->count,
        .now_ms = now_ms,
        .done = answered,
        .arg = recheck,
    };
    return question->identifier.value != NULL;
}

static bool fill(struct recheck *recheck, struct store_txn *txn, const struct order *order,
                 struct acme_problem *problem)
{
    const struct name_proof *proofs;
    int64_t now_ms = world_now_ms(recheck->caraway->world);
    recheck->order = arena_text(recheck->arena, order->id);
    if (recheck->order == NULL)
        return problem_out_of_memory(problem);
    TRY(proofs_read(txn, recheck->arena, order, now_ms, &proofs, problem));
    for (size_t i = 0; i < order->identifiers.count; i++) {
        const struct acme_identifier *identifier = &order->identifiers.items[i];
        if (identifier->type == IDENTIFIER_DNS && is_due(recheck->caraway->settings, &proofs[i], now_ms) &&
            !add_question(recheck, identifier, &proofs[i], now_ms))
            return problem_out_of_memory(problem);
    }
    return true;
}

bool recheck_make(struct caraway *caraway, struct store_txn *txn, const struct order *order, struct recheck **out,
                  struct acme_problem *problem)
{
    AUTO(recheck) recheck = calloc(1, sizeof *recheck);
    if (recheck == NULL)
        return problem_out_of_memory(problem);
    recheck->caraway = caraway;
    recheck->arena = arena_create(RECHECK_MAX_BYTES);
    recheck->questions = calloc(order->identifiers.count, sizeof *recheck->questions);
    if (recheck->arena == NULL || recheck->questions == NULL)
        return problem_out_of_memory(problem);
    TRY(fill(recheck, txn, order, problem));
    bool needed = recheck->count > 0 && strcmp(caraway->settings->caa_mode, "off") != 0;
    *out = needed ? TAKE(recheck) : NULL;
    return true;
}

/* ---- asking */

static void answered(struct validation *question, void *arg)
{
    (void)question;
    struct recheck *recheck = arg;
    struct rechecks *rechecks = recheck->caraway->rechecks;
    pthread_mutex_lock(&rechecks->lock);
    bool last = --recheck->left == 0;
    if (last)
        list_remove(&recheck->link);
    void (*done)(void *arg) = last ? TAKE(recheck->done) : NULL;
    void *done_arg = recheck->arg;
    bool dropped = last && recheck->dropped;
    pthread_mutex_unlock(&rechecks->lock);
    if (done != NULL)
        done(done_arg);
    else if (dropped)
        recheck_free(recheck);
}

void recheck_start(struct recheck *recheck, void (*done)(void *arg), void *arg)
{
    struct rechecks *rechecks = recheck->caraway->rechecks;
    struct validators *validators = recheck->caraway->validators;
    struct validation *questions = recheck->questions;
    size_t count = recheck->count; /* with the last answer the recheck may go */
    pthread_mutex_lock(&rechecks->lock);
    recheck->cut = rechecks->closed;
    if (!recheck->cut) {
        recheck->done = done;
        recheck->arg = arg;
        recheck->left = count;
        list_add(&rechecks->all, &recheck->link);
    }
    bool cut = recheck->cut;
    pthread_mutex_unlock(&rechecks->lock);
    if (cut)
        done(arg);
    for (size_t i = 0; !cut && i < count; i++)
        validators_check_caa(validators, &questions[i]);
}

void recheck_drop(struct recheck *recheck)
{
    if (recheck == NULL)
        return;
    struct rechecks *rechecks = recheck->caraway->rechecks;
    pthread_mutex_lock(&rechecks->lock);
    bool under_way = recheck->left > 0;
    recheck->dropped = under_way;
    recheck->done = NULL;
    pthread_mutex_unlock(&rechecks->lock);
    if (!under_way)
        recheck_free(recheck);
}

/* ---- the verdict */

bool recheck_was_cut(const struct recheck *recheck)
{
    return recheck->cut;
}

static void log_answer(const struct recheck *recheck, const struct validation *question)
{
    bool said = !question->ok || question->warned;
    log_event(recheck->caraway->log,
              !question->ok      ? LOG_CAA_REFUSED
              : question->warned ? LOG_CAA_WARNED
                                 : LOG_CAA_ALLOWED,
              LOG_TEXT("name", question->identifier.value), LOG_BOOL("wildcard", question->wildcard),
              LOG_TEXT("detail", said ? question->problem.detail : NULL), LOG_TEXT("order", recheck->order));
}

static bool add_refusal(struct arena *arena, const struct validation *question, struct acme_subproblem *out)
{
    *out = (struct acme_subproblem) {
        .type = question->problem.type,
        .identifier = { IDENTIFIER_DNS,
                        arena_printf(arena, "%s%s", question->wildcard ? "*." : "", question->identifier.value) },
        .detail = arena_text(arena, question->problem.detail),
    };
    return out->identifier.value != NULL && out->detail != NULL;
}

/* One that fails for want of an answer may pass the next time; one that is refused by CAA does not by itself, and so it
 * gives its name to all. */
static bool refuse(const struct recheck *recheck, const struct acme_subproblem *refusals, size_t count,
                   struct acme_problem *problem)
{
    enum acme_problem_type type = PROBLEM_DNS;
    for (size_t i = 0; i < count; i++) {
        if (refusals[i].type == PROBLEM_CAA)
            type = PROBLEM_CAA;
    }
    problem_fail(problem, type, "CAA was asked for %zu names before issuance, and %zu are refused; see the subproblems",
                 recheck->count, count);
    problem->subproblems = refusals;
    problem->subproblem_count = count;
    return false;
}

bool recheck_verdict(const struct recheck *recheck, struct arena *arena, struct acme_problem *problem)
{
    const struct validation *failed = NULL;
    size_t count = 0;
    if (recheck->cut)
        return problem_fail_status(problem, PROBLEM_SERVER_INTERNAL, 503, "The server is stopping; try again later");
    struct acme_subproblem *refusals = arena_array(arena, recheck->count, sizeof *refusals);
    if (refusals == NULL)
        return problem_out_of_memory(problem);
    for (size_t i = 0; i < recheck->count; i++) {
        const struct validation *question = &recheck->questions[i];
        log_answer(recheck, question);
        if (question->ok)
            continue;
        failed = question;
        if (!add_refusal(arena, question, &refusals[count++]))
            return problem_out_of_memory(problem);
    }
    if (count == 1)
        *problem = failed->problem;
    return count == 0 || (count > 1 && refuse(recheck, refusals, count, problem));
}
