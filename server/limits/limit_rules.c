#include "server/limits/limit_rules.h"

#include "server/caraway.h"
#include "server/limits/limit_headers.h"
#include "server/limits/limit_subject.h"
#include "server/limits/pause.h"
#include "server/protocol/renewal.h"

#define DAY_MS INT64_C(86400000)

enum { RENEWAL_DAYS = 120, KEY_MAX_BYTES = 1 << 20 };

/* ---- new-account */

bool limit_new_account(struct store_txn *txn, struct request *rq)
{
    const struct caraway *caraway = rq->caraway;
    if (caraway->settings->limits_exempt_loopback && limit_caller_is_loopback(rq->peer))
        return true;
    struct limit_ask items[] = {
        { .limit = LIMIT_ACCOUNTS_PER_ADDRESS, .subject = limit_caller(rq->arena, rq->peer, CALLER_BITS) },
        { .limit = LIMIT_ACCOUNTS_PER_NETWORK, .subject = limit_caller(rq->arena, rq->peer, CALLER_NETWORK_BITS) },
    };
    if (items[0].subject == NULL || items[1].subject == NULL)
        return problem_out_of_memory(&rq->problem);
    const struct limit_asks asks = { items, limit_caller_is_v6(items[1].subject) ? 2 : 1 };
    bool passes = limits_take(caraway->limits, txn, rq->arena, rq->now_ms, &asks, asks.count, &rq->problem);
    limit_note(txn, rq, &asks);
    return passes;
}

/* ---- what an order asks */

/* The same set was issued not long ago, to whomever. */
static bool is_renewal(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms)
{
    const char *set = store_subject_of_set(arena, &order->identifiers);
    struct store_page page;
    struct certificate last;
    return set != NULL && store_list(txn, arena, STORE_CERTIFICATE_BY_SET, set, NULL, 1, true, &page) &&
           page.ids.count > 0 && store_get_certificate(txn, arena, page.ids.items[0], &last) &&
           now_ms - last.not_before_ms <= RENEWAL_DAYS * DAY_MS;
}

enum limit_class limit_class_of_account(struct store_txn *txn, const char *account_id)
{
    AUTO(arena) scratch = arena_create(KEY_MAX_BYTES);
    struct account account;
    struct external_key key;
    enum limit_class class = LIMIT_CLASS_SERVER;
    if (scratch == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    else if (store_get_account(txn, scratch, account_id, &account) && account.external_key != NULL &&
             store_get_external_key(txn, scratch, account.external_key, &key))
        (void)!limit_class_from_text(key.limits, &class);
    return class;
}

const char *limit_exemption_text(enum limit_exemption exemption)
{
    static const char *const texts[] = {
#define X(name, text) [LIMIT_EXEMPT_##name] = text,
        LIMIT_EXEMPTION_TABLE(X)
#undef X
    };
    CHECK(exemption < ARRAY_SIZE(texts));
    return texts[exemption];
}

struct limit_standing limit_standing(struct store_txn *txn, struct arena *arena, const struct order *order,
                                     int64_t now_ms)
{
    struct limit_standing standing = { LIMIT_EXEMPT_NONE, LIMIT_CLASS_SERVER };
    if (renewal_is_timely(txn, arena, order, now_ms)) {
        standing.exemption = LIMIT_EXEMPT_TIMELY;
        return standing;
    }
    standing.class = limit_class_of_account(txn, order->account);
    if (standing.class == LIMIT_CLASS_OFF)
        standing.exemption = LIMIT_EXEMPT_KEY;
    else if (is_renewal(txn, arena, order, now_ms))
        standing.exemption = LIMIT_EXEMPT_RENEWAL;
    return standing;
}

static bool add_ask(struct limit_asks *asks, enum limit_class class, enum limit limit, const char *subject,
                    const char *shown)
{
    TRY(subject != NULL);
    for (size_t i = 0; i < asks->count; i++) {
        if (asks->items[i].limit == limit && strcmp(asks->items[i].subject, subject) == 0)
            return true;
    }
    asks->items[asks->count++] = (struct limit_ask) { limit, subject, shown, class };
    return true;
}

/* An override for the account takes the place of what all accounts share. */
static bool add_domain(const struct limits *limits, struct arena *arena, const struct order *order,
                       const struct acme_identifier *identifier, enum limit_class class, struct limit_asks *asks)
{
    const char *domain = limit_domain(arena, identifier);
    const char *own = limit_account_domain(arena, order->account, identifier);
    TRY(domain != NULL && own != NULL);
    if (!limit_is_overridden(limits, LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, own))
        TRY(add_ask(asks, class, LIMIT_CERTIFICATES_PER_DOMAIN, domain, NULL));
    return add_ask(asks, class, LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, own, domain);
}

enum { ASKS_PER_NAME = 3, ASKS_PER_ORDER = 2 };

static bool make_asks(struct arena *arena, const struct order *order, struct limit_asks *out)
{
    *out = (struct limit_asks) {
        arena_array(arena, ASKS_PER_NAME * order->identifiers.count + ASKS_PER_ORDER, sizeof *out->items), 0
    };
    return out->items != NULL;
}

static bool add_certificate_asks(const struct limits *limits, struct arena *arena, const struct order *order,
                                 struct limit_standing standing, struct limit_asks *asks)
{
    const struct identifiers *names = &order->identifiers;
    if (standing.exemption >= LIMIT_EXEMPT_TIMELY)
        return true;
    for (size_t i = 0; i < names->count && standing.exemption == LIMIT_EXEMPT_NONE; i++)
        TRY(add_domain(limits, arena, order, &names->items[i], standing.class, asks));
    const char *shown = limit_set_shown(arena, names);
    return shown != NULL &&
           add_ask(asks, standing.class, LIMIT_CERTIFICATES_PER_SET, store_subject_of_set(arena, names), shown);
}

bool limit_certificate_asks(const struct limits *limits, struct arena *arena, const struct order *order,
                            struct limit_standing standing, struct limit_asks *out)
{
    return make_asks(arena, order, out) && add_certificate_asks(limits, arena, order, standing, out);
}

/* The account's orders come first. */
static bool add_proof_asks(struct arena *arena, const struct order *order, struct limit_standing standing,
                           struct limit_asks *asks)
{
    if (standing.exemption == LIMIT_EXEMPT_NONE)
        TRY(add_ask(asks, standing.class, LIMIT_ORDERS_PER_ACCOUNT, order->account, NULL));
    for (size_t i = 0; i < order->identifiers.count && standing.exemption < LIMIT_EXEMPT_TIMELY; i++) {
        const struct acme_identifier *name = &order->identifiers.items[i];
        TRY(add_ask(asks, standing.class, LIMIT_FAILURES_PER_NAME, limit_account_name(arena, order->account, name),
                    identifier_base(name)));
    }
    return true;
}

bool limit_order_asks(const struct limits *limits, struct arena *arena, const struct order *order,
                      struct limit_standing standing, struct limit_asks *out)
{
    return make_asks(arena, order, out) && add_proof_asks(arena, order, standing, out) &&
           add_certificate_asks(limits, arena, order, standing, out);
}

/* ---- new-order */

static bool no_name_is_paused(struct store_txn *txn, struct request *rq, const struct order *order)
{
    for (size_t i = 0; i < order->identifiers.count; i++)
        TRY(pause_check(txn, rq, &order->identifiers.items[i]));
    return true;
}

static bool order_asks(struct store_txn *txn, struct request *rq, const struct order *order,
                       struct limit_standing standing, struct limit_asks *out)
{
    TRY(standing.exemption >= LIMIT_EXEMPT_TIMELY || no_name_is_paused(txn, rq, order));
    return limit_order_asks(rq->caraway->limits, rq->arena, order, standing, out) ||
           problem_out_of_memory(&rq->problem);
}

bool limit_order_passes(struct store_txn *txn, struct request *rq, const struct order *order)
{
    struct limit_asks asks;
    struct limit_standing standing = limit_standing(txn, rq->arena, order, rq->now_ms);
    return order_asks(txn, rq, order, standing, &asks) &&
           limits_check(rq->caraway->limits, txn, rq->arena, rq->now_ms, &asks, &rq->problem);
}

static size_t spent_by(struct limit_standing standing)
{
    return standing.exemption == LIMIT_EXEMPT_NONE ? 1 : 0;
}

bool limit_new_order(struct store_txn *txn, struct request *rq, const struct order *order)
{
    struct limit_asks asks;
    struct limit_standing standing = limit_standing(txn, rq->arena, order, rq->now_ms);
    TRY(order_asks(txn, rq, order, standing, &asks));
    bool passes = limits_take(rq->caraway->limits, txn, rq->arena, rq->now_ms, &asks, spent_by(standing), &rq->problem);
    limit_note(txn, rq, &asks);
    return passes;
}

bool limit_ancestor_passes(struct store_txn *txn, struct request *rq, const struct order *order,
                           const struct acme_identifier *ancestor)
{
    struct limit_standing standing = limit_standing(txn, rq->arena, order, rq->now_ms);
    const char *subject = limit_account_name(rq->arena, order->account, ancestor);
    if (subject == NULL)
        return problem_out_of_memory(&rq->problem);
    if (standing.exemption >= LIMIT_EXEMPT_TIMELY)
        return true;
    struct limit_ask failures = { LIMIT_FAILURES_PER_NAME, subject, ancestor->value, standing.class };
    return pause_check(txn, rq, ancestor) && limits_check(rq->caraway->limits, txn, rq->arena, rq->now_ms,
                                                          &(struct limit_asks) { &failures, 1 }, &rq->problem);
}

bool limit_new_authorization(struct store_txn *txn, struct request *rq, const struct authorization *authorization)
{
    struct limit_asks asks;
    struct acme_identifier name = authorization->identifier;
    const struct order alone = { .account = authorization->account, .identifiers = { &name, 1 } };
    struct limit_standing standing = limit_standing(txn, rq->arena, &alone, rq->now_ms);
    TRY(standing.exemption >= LIMIT_EXEMPT_TIMELY || no_name_is_paused(txn, rq, &alone));
    if (!make_asks(rq->arena, &alone, &asks) || !add_proof_asks(rq->arena, &alone, standing, &asks))
        return problem_out_of_memory(&rq->problem);
    return limits_take(rq->caraway->limits, txn, rq->arena, rq->now_ms, &asks, spent_by(standing), &rq->problem);
}

/* ---- issuance */

bool limit_certificate_passes(struct store_txn *txn, struct request *rq, const struct order *order)
{
    const struct limits *limits = rq->caraway->limits;
    struct limit_asks asks;
    struct limit_standing standing = limit_standing(txn, rq->arena, order, rq->now_ms);
    if (!limit_certificate_asks(limits, rq->arena, order, standing, &asks))
        return problem_out_of_memory(&rq->problem);
    return limits_check(limits, txn, rq->arena, rq->now_ms, &asks, &rq->problem);
}

bool limit_issue(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const struct order *order,
                 struct acme_problem *problem)
{
    int64_t now_ms = world_now_ms(caraway->world);
    struct limit_asks asks;
    struct limit_standing standing = limit_standing(txn, arena, order, now_ms);
    if (!limit_certificate_asks(caraway->limits, arena, order, standing, &asks))
        return problem_out_of_memory(problem);
    return limits_take(caraway->limits, txn, arena, now_ms, &asks, asks.count, problem);
}

/* ---- authorizations */

void limit_decided(struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                   const struct authorization *authorization, bool ok)
{
    int64_t now_ms = world_now_ms(caraway->world);
    const char *subject = limit_account_name(arena, authorization->account, &authorization->identifier);
    const char *pausing = subject != NULL ? limit_bucket_id(arena, LIMIT_FAILURES_BEFORE_PAUSE, subject) : NULL;
    if (pausing == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    if (ok) {
        store_delete_rate_bucket(txn, pausing);
        return;
    }
    enum limit_class class = limit_class_of_account(txn, authorization->account);
    struct limit_ask failures[] = { { LIMIT_FAILURES_PER_NAME, subject, NULL, class },
                                    { LIMIT_FAILURES_BEFORE_PAUSE, subject, NULL, class } };
    if (!limit_look(caraway->limits, txn, arena, &failures[1], now_ms, 1).allowed)
        pause_name(txn, arena, authorization, now_ms);
    limits_spend(caraway->limits, txn, arena, now_ms, &(struct limit_asks) { failures, ARRAY_SIZE(failures) });
}
