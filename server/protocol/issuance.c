#include "server/protocol/issuance.h"

#include "base/list.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/protocol/outcome.h"
#include "server/policy/policy.h"
#include "server/protocol/profile.h"
#include "server/protocol/proof.h"
#include "server/protocol/recheck.h"
#include "server/webhook/webhook.h"

#include <pthread.h>

enum { ISSUANCE_MAX_BYTES = 512 * 1024, RESUME_PAGE = 64, SIGN_AGAIN_MS = 1000 };

struct issuance {
    struct caraway *caraway;
    struct request *waiter; /* NULL: nobody waits for the outcome */
    struct arena *arena;    /* the order's texts */
    struct arena *scratch;  /* what one run of the job reads; made anew when it runs again */
    struct order order;     /* as asked for */
    struct order stored;    /* with its certificate; texts in scratch */
    const char *owner;      /* of the order's account, once stored; or NULL */
    struct csr *csr;
    struct recheck *recheck; /* of one that is resumed; NULL: CAA need not be asked */
    bool given_up;           /* `problem` says why it was not signed */
    struct ca_request signing;
    char serial[CA_SERIAL_TEXT_SIZE];
    uint8_t key_hash[SHA256_BYTES];
    struct store_job job;        /* with a waiter, who is told when it fails */
    struct outcome storing;      /* without */
    struct later_task again;     /* without: when memory was out for the signature */
    struct acme_problem problem; /* why there is no certificate */
    bool refused;
    struct list link; /* in the issuances */
};

struct issuances {
    pthread_mutex_t lock; /* guards all */
    struct list all;
};

/* ---- all of them */

struct issuances *issuances_create(void)
{
    struct issuances *issuances = calloc(1, sizeof *issuances);
    if (issuances == NULL)
        return NULL;
    pthread_mutex_init(&issuances->lock, NULL);
    list_init(&issuances->all);
    return issuances;
}

void issuances_drop(struct issuances *issuances)
{
    if (issuances == NULL)
        return;
    for (struct list *first; (first = list_first(&issuances->all)) != NULL;) {
        list_remove(first);
        issuance_drop(CONTAINER_OF(first, struct issuance, link));
    }
    pthread_mutex_destroy(&issuances->lock);
    free(issuances);
}

static void link_issuance(struct issuance *issuance)
{
    struct issuances *issuances = issuance->caraway->issuances;
    pthread_mutex_lock(&issuances->lock);
    list_add(&issuances->all, &issuance->link);
    pthread_mutex_unlock(&issuances->lock);
}

static void unlink_issuance(struct issuance *issuance)
{
    struct issuances *issuances = issuance->caraway->issuances;
    pthread_mutex_lock(&issuances->lock);
    list_remove(&issuance->link);
    pthread_mutex_unlock(&issuances->lock);
}

/* ---- one of them */

void issuance_drop(struct issuance *issuance)
{
    if (issuance == NULL)
        return;
    csr_drop(issuance->csr);
    recheck_drop(issuance->recheck);
    OPENSSL_free(issuance->signing.der);
    arena_drop(issuance->arena);
    arena_drop(issuance->scratch);
    free(issuance);
}

static bool copy_names(struct arena *arena, struct identifiers *names)
{
    struct acme_identifier *items = arena_array(arena, names->count, sizeof *items);
    TRY(items != NULL);
    for (size_t i = 0; i < names->count; i++) {
        items[i] = (struct acme_identifier) { names->items[i].type, arena_text(arena, names->items[i].value) };
        TRY(items[i].value != NULL);
    }
    names->items = items;
    return true;
}

/* Only what signing and storing need; the job reads the order again. */
static bool copy_order(struct issuance *issuance, const struct order *order)
{
    issuance->order = (struct order) {
        .id = arena_text(issuance->arena, order->id),
        .account = arena_text(issuance->arena, order->account),
        .profile = arena_text(issuance->arena, order->profile),
        .identifiers = order->identifiers,
        .not_before_ms = order->not_before_ms,
        .not_after_ms = order->not_after_ms,
        .lifetime_ms = order->lifetime_ms,
    };
    return issuance->order.id != NULL && issuance->order.account != NULL && issuance->order.profile != NULL &&
           copy_names(issuance->arena, &issuance->order.identifiers);
}

struct issuance *issuance_create(struct caraway *caraway, const struct order *order, struct csr *csr)
{
    AUTO(issuance) issuance = calloc(1, sizeof *issuance);
    if (issuance == NULL) {
        csr_drop(csr);
        return NULL;
    }
    issuance->caraway = caraway;
    issuance->csr = csr;
    issuance->arena = arena_create(ISSUANCE_MAX_BYTES);
    issuance->scratch = arena_create(ISSUANCE_MAX_BYTES);
    if (issuance->arena == NULL || issuance->scratch == NULL || !copy_order(issuance, order))
        return NULL;
    return TAKE(issuance);
}

const struct order *issuance_order(const struct issuance *issuance)
{
    return &issuance->stored;
}

/* ---- storing */

static struct certificate certificate_of(const struct issuance *issuance, const struct order *order)
{
    const struct ca_request *signing = &issuance->signing;
    return (struct certificate) {
        .serial = issuance->serial,
        .state = CERTIFICATE_VALID,
        .account = order->account,
        .order = order->id,
        .identifiers = order->identifiers,
        .profile = order->profile,
        .issuer = ca_issuer_id(issuance->caraway->ca),
        .not_before_ms = signing->not_before_ms,
        .not_after_ms = signing->not_after_ms,
        .der = bytes_of(signing->der, signing->der_len),
        .key_hash = bytes_of(issuance->key_hash, SHA256_BYTES),
        .owner = issuance->owner,
    };
}

/* The job runs again when a commit failed, and a disk may have kept what it reported as lost. */
static bool is_stored(const struct issuance *issuance, const struct order *order)
{
    return order->state == ORDER_VALID && order->certificate != NULL &&
           strcmp(order->certificate, issuance->serial) == 0;
}

/* The order may have run out, or been finalized by another request, while the signature was made. */
static bool load_order(struct store_txn *txn, struct issuance *issuance, struct order *out)
{
    enum order_state expected = issuance->waiter != NULL ? ORDER_READY : ORDER_PROCESSING;
    struct certificate clash;
    if (!store_get_order(txn, issuance->scratch, issuance->order.id, out))
        return problem_internal(&issuance->problem, "the order %s is gone", issuance->order.id);
    if (is_stored(issuance, out))
        return true;
    if (order_state_at(out, world_now_ms(issuance->caraway->world)) != expected)
        return problem_fail(&issuance->problem, PROBLEM_ORDER_NOT_READY,
                            "The order changed while its certificate was signed; ask for it again");
    if (store_get_certificate(txn, issuance->scratch, issuance->serial, &clash))
        return problem_internal(&issuance->problem, "the serial %s exists already", issuance->serial);
    return true;
}

static bool put_certificate(struct store_txn *txn, struct issuance *issuance, struct order *order)
{
    TRY(policy_confirm(issuance->caraway, txn, issuance->scratch, order, &issuance->owner, &issuance->problem));
    TRY(proofs_hold(txn, order, world_now_ms(issuance->caraway->world), &issuance->problem));
    TRY(limit_issue(issuance->caraway, txn, issuance->scratch, order, &issuance->problem));
    const struct certificate certificate = certificate_of(issuance, order);
    if (order->state == ORDER_READY)
        order_move(order, ORDER_PROCESSING);
    order->certificate = issuance->serial;
    order->csr = (struct bytes) { 0 };
    order_move(order, ORDER_VALID);
    store_put_certificate(txn, &certificate);
    webhook_certificate(issuance->caraway, txn, WEBHOOK_ISSUED, &certificate);
    store_put_order(txn, order);
    return true;
}

static void put_failure(struct store_txn *txn, struct issuance *issuance, struct order *order)
{
    order_move(order, ORDER_INVALID);
    order->csr = (struct bytes) { 0 };
    order->error = problem_json(issuance->scratch, &issuance->problem);
    store_put_order(txn, order);
    webhook_order_refused(issuance->caraway, txn, order, &issuance->problem);
}

static void store_outcome(struct store_txn *txn, void *arg)
{
    struct issuance *issuance = arg;
    struct order order;
    arena_reset(issuance->scratch);
    issuance->refused = issuance->given_up;
    if (!load_order(txn, issuance, &order)) {
        issuance->refused = true;
        return;
    }
    bool stored = is_stored(issuance, &order);
    issuance->refused = issuance->refused || !(stored || put_certificate(txn, issuance, &order));
    if (issuance->refused && issuance->waiter == NULL)
        put_failure(txn, issuance, &order);
    else if (!issuance->refused)
        issuance->stored = order;
}

static void log_outcome(const struct issuance *issuance)
{
    struct log *log = issuance->caraway->log;
    const struct order *order = &issuance->order;
    if (issuance->refused)
        log_event(log, LOG_CERTIFICATE_REFUSED, LOG_TEXT("order", order->id),
                  LOG_TEXT("detail", issuance->problem.detail), LOG_TEXT("cause", issuance->problem.cause));
    else
        log_event(log, LOG_CERTIFICATE_ISSUED, LOG_TEXT("serial", issuance->serial),
                  LOG_TEXT("name", order->identifiers.items[0].value),
                  LOG_INT("names", (int64_t)order->identifiers.count), LOG_TEXT("order", order->id),
                  LOG_TEXT("account", order->account), LOG_TEXT("owner", issuance->owner));
}

static void outcome_stored(void *arg)
{
    struct issuance *issuance = arg;
    unlink_issuance(issuance);
    log_outcome(issuance);
    webhook_kick(issuance->caraway);
    issuance_drop(issuance);
}

static void answer_waiter(void *arg, enum store_status status)
{
    struct issuance *issuance = arg;
    struct request *waiter = issuance->waiter;
    unlink_issuance(issuance);
    if (status == STORE_OK)
        log_outcome(issuance);
    webhook_kick(issuance->caraway);
    waiter->state = issuance;
    waiter->store_status = status;
    waiter->refused = issuance->refused;
    waiter->problem = issuance->problem;
    request_resume(waiter);
}

static void submit_outcome(struct issuance *issuance)
{
    if (issuance->waiter != NULL) {
        issuance->job = (struct store_job) { .work = store_outcome, .done = answer_waiter, .arg = issuance };
        store_submit(issuance->caraway->store, &issuance->job);
        return;
    }
    issuance->storing = (struct outcome) {
        .caraway = issuance->caraway,
        .work = store_outcome,
        .stored = outcome_stored,
        .arg = issuance,
        .what = "order",
        .id = issuance->order.id,
    };
    outcome_store(&issuance->storing);
}

/* ---- signing */

static void sign(struct issuance *issuance);

static void sign_again(struct later_task *task)
{
    sign(CONTAINER_OF(task, struct issuance, again));
}

/* Memory that was out is no reason to end an order that nobody waits for. */
static void sign_later(struct issuance *issuance)
{
    struct caraway *caraway = issuance->caraway;
    issuance->again.run = sign_again;
    later_add(caraway->later, &issuance->again, world_now_ms(caraway->world) + SIGN_AGAIN_MS);
}

static void signature_made(struct ca_request *signing, void *arg)
{
    struct issuance *issuance = arg;
    issuance->given_up = signing->status != CA_OK;
    if (signing->status == CA_NO_MEMORY && issuance->waiter == NULL) {
        sign_later(issuance);
        return;
    }
    if (signing->status == CA_NO_MEMORY)
        problem_out_of_memory(&issuance->problem);
    else if (issuance->given_up)
        problem_internal(&issuance->problem, "signing: %s", signing->why);
    submit_outcome(issuance);
}

static void set_validity(struct issuance *issuance, const struct profile *profile)
{
    const struct settings *settings = issuance->caraway->settings;
    const struct order *order = &issuance->order;
    struct ca_request *signing = &issuance->signing;
    int64_t now = world_now_ms(issuance->caraway->world);
    int64_t from = order->not_before_ms != 0 ? order->not_before_ms : now - settings->ca_backdate_ms;
    int64_t lifetime_ms = profile_lifetime_ms(profile, settings);
    if (order->lifetime_ms != 0 && order->lifetime_ms < lifetime_ms)
        lifetime_ms = order->lifetime_ms;
    from -= from % 1000;
    /* RFC 5280 §4.1.2.5: notAfter itself still belongs to the lifetime */
    int64_t until =
        order->not_after_ms != 0 ? order->not_after_ms - order->not_after_ms % 1000 : from + lifetime_ms - 1000;
    bool too_long = order->not_before_ms == 0 && until - from > lifetime_ms;
    signing->not_before_ms = too_long ? until - lifetime_ms : from; /* less backdated then */
    signing->not_after_ms = until;
}

static void sign(struct issuance *issuance)
{
    const struct profile *profile = profile_find(issuance->order.profile);
    CHECK(profile != NULL);
    csr_key_hash(issuance->csr, issuance->key_hash);
    ca_make_serial(issuance->caraway->world, issuance->serial);
    issuance->signing = (struct ca_request) {
        .csr = issuance->csr,
        .identifiers = issuance->order.identifiers.items,
        .identifier_count = issuance->order.identifiers.count,
        .serial = issuance->serial,
        .without = profile->without,
        .done = signature_made,
        .arg = issuance,
    };
    set_validity(issuance, profile);
    ca_submit(issuance->caraway->ca, &issuance->signing);
}

void issuance_start(struct issuance *issuance, struct request *waiter)
{
    issuance->waiter = waiter;
    link_issuance(issuance);
    sign(issuance);
}

void issuance_start_detached(struct issuance *issuance, const struct order *stored)
{
    issuance->order.lifetime_ms = stored->lifetime_ms;
    issuance_start(issuance, NULL);
}

/* ---- after a restart: much may have changed while there was no server, also what CAA says */

static void refuse(struct issuance *issuance)
{
    issuance->given_up = true;
    submit_outcome(issuance);
}

static void rechecked(void *arg)
{
    struct issuance *issuance = arg;
    if (recheck_was_cut(issuance->recheck))
        return; /* the next start resumes it */
    if (recheck_verdict(issuance->recheck, issuance->arena, &issuance->problem))
        sign(issuance);
    else
        refuse(issuance);
}

static bool may_be_signed(struct issuance *issuance, struct store_txn *txn, struct arena *arena, struct order *order)
{
    struct acme_problem *problem = &issuance->problem;
    const char *owner;
    if (profile_find(order->profile) == NULL)
        return problem_fail(problem, PROBLEM_INVALID_PROFILE, "The profile \"%s\" of the order is no longer offered",
                            order->profile);
    TRY(policy_confirm(issuance->caraway, txn, arena, order, &owner, problem));
    issuance->order.lifetime_ms = order->lifetime_ms;
    return recheck_make(issuance->caraway, txn, order, &issuance->recheck, problem);
}

static void resume_one(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const char *id)
{
    struct order order;
    struct csr *csr;
    char why[CSR_WHY_SIZE];
    if (!store_get_order(txn, arena, id, &order) || csr_parse(order.csr, &csr, why) != CSR_OK) {
        log_event(caraway->log, LOG_CERTIFICATE_REFUSED, LOG_TEXT("order", id),
                  LOG_TEXT("cause", "the order that was in processing cannot be read"));
        return;
    }
    struct issuance *issuance = issuance_create(caraway, &order, csr);
    if (issuance == NULL)
        return;
    link_issuance(issuance);
    if (!may_be_signed(issuance, txn, arena, &order))
        refuse(issuance);
    else if (issuance->recheck != NULL)
        recheck_start(issuance->recheck, rechecked, issuance);
    else
        sign(issuance);
}

bool issuances_resume(struct caraway *caraway)
{
    AUTO(store_txn) txn = store_begin_read(caraway->store);
    AUTO(arena) arena = arena_create(RESUME_PAGE * ISSUANCE_MAX_BYTES);
    AUTO(arena) position = arena_create(ISSUANCE_MAX_BYTES);
    TRY(txn != NULL && arena != NULL && position != NULL);
    const char *after = NULL;
    do {
        struct store_page page;
        arena_reset(arena);
        TRY(store_list(txn, arena, STORE_ORDER_PROCESSING, "", after, RESUME_PAGE, false, &page));
        for (size_t i = 0; i < page.ids.count; i++)
            resume_one(caraway, txn, arena, page.ids.items[i]);
        after = page.next != NULL ? arena_text(position, page.next) : NULL;
    } while (after != NULL);
    return true;
}
