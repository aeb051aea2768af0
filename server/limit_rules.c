#include "server/limit_rules.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/limit.h"
#include "server/network.h"
#include "server/pause.h"
#include "server/renewal.h"

#include <arpa/inet.h>
#include <libpsl.h>

#define DAY_MS INT64_C(86400000)

enum { RENEWAL_DAYS = 120 };

/* ---- subjects */

/* "2001:db8:1:2::/64"; an IPv4 address stands for itself. */
static const char *network_of(struct arena *arena, const char *address, unsigned bits)
{
    struct in6_addr raw;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, &raw) != 1)
        return arena_text(arena, address);
    memset(raw.s6_addr + bits / 8, 0, sizeof raw.s6_addr - bits / 8);
    inet_ntop(AF_INET6, &raw, text, sizeof text);
    return arena_printf(arena, "%s/%u", text, bits);
}

const char *limit_domain(struct arena *arena, const struct acme_identifier *identifier)
{
    if (identifier->type == IDENTIFIER_IP)
        return network_of(arena, identifier->value, 64);
    const char *name = identifier_base(identifier);
    const char *registered = psl_registrable_domain(psl_builtin(), name);
    return arena_text(arena, registered != NULL ? registered : name); /* a public suffix counts for itself */
}

static const char *name_of_account(struct arena *arena, const char *account, const struct acme_identifier *identifier)
{
    return arena_printf(arena, "%s/%s", account, identifier_base(identifier));
}

static const char *set_text(struct arena *arena, const struct identifiers *set)
{
    AUTO_BUF(text, 256);
    for (size_t i = 0; i < set->count && !text.failed; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", set->items[i].value);
    return text.failed ? arena_printf(arena, "%.100s and %zu more", set->items[0].value, set->count - 1)
                       : arena_text(arena, buf_str(&text));
}

static bool loopback(const char *address)
{
    static const char *const networks[] = { "127.0.0.0/8", "::1" };
    struct network network;
    for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
        CHECK(network_read(networks[i], &network));
        if (network_holds(&network, address))
            return true;
    }
    return false;
}

/* ---- new-account */

static bool memory_out(struct acme_problem *problem)
{
    return problem_out_of_memory(problem);
}

bool limit_new_account(struct store_txn *txn, struct request *rq)
{
    const struct caraway *caraway = rq->caraway;
    if (caraway->settings->limits_exempt_loopback && (loopback(rq->peer) || strcmp(rq->peer, "local") == 0))
        return true;
    struct limit_ask asks[2] = { { LIMIT_ACCOUNTS_PER_ADDRESS, rq->peer, NULL } };
    size_t count = 1;
    if (strchr(rq->peer, ':') != NULL)
        asks[count++] = (struct limit_ask) { LIMIT_ACCOUNTS_PER_NETWORK, network_of(rq->arena, rq->peer, 48), NULL };
    if (asks[count - 1].subject == NULL)
        return memory_out(&rq->problem);
    TRY(limits_check(caraway->limits, txn, rq->arena, rq->now_ms, asks, count, &rq->problem));
    limits_spend(caraway->limits, txn, rq->arena, rq->now_ms, asks, count);
    return true;
}

/* ---- issuance */

static bool add_ask(struct limit_ask *asks, size_t *count, struct limit_ask ask)
{
    for (size_t i = 0; i < *count; i++) {
        if (asks[i].limit == ask.limit && strcmp(asks[i].subject, ask.subject) == 0)
            return true;
    }
    TRY(*count < LIMIT_ASKS_MAX);
    asks[(*count)++] = ask;
    return true;
}

static bool add_domain(struct caraway *caraway, struct arena *arena, const struct order *order,
                       const struct acme_identifier *identifier, struct limit_ask *asks, size_t *count)
{
    const char *domain = limit_domain(arena, identifier);
    TRY(domain != NULL);
    const char *own = arena_printf(arena, "%s/%s", order->account, domain);
    TRY(own != NULL);
    /* an override for the account takes the place of what all accounts share */
    bool overridden = limit_is_overridden(caraway->limits, LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, own);
    return add_ask(asks, count,
                   overridden ? (struct limit_ask) { LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, own, domain }
                              : (struct limit_ask) { LIMIT_CERTIFICATES_PER_DOMAIN, domain, NULL });
}

struct limit_ask *limit_issuance_asks(struct caraway *caraway, struct arena *arena, const struct order *order,
                                      size_t *out_count)
{
    struct limit_ask *asks = arena_array(arena, order->identifiers.count + 1, sizeof *asks);
    const char *set = store_subject_of_set(arena, &order->identifiers);
    const char *shown = set_text(arena, &order->identifiers);
    size_t count = 0;
    if (asks == NULL || set == NULL || shown == NULL)
        return NULL;
    for (size_t i = 0; i < order->identifiers.count; i++) {
        if (!add_domain(caraway, arena, order, &order->identifiers.items[i], asks, &count))
            return NULL;
    }
    asks[count++] = (struct limit_ask) { LIMIT_CERTIFICATES_PER_SET, set, shown };
    *out_count = count;
    return asks;
}

/* The same set was issued not long ago: a renewal, which neither the domain nor the account has to pay for. */
static bool is_renewal(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms)
{
    const char *set = store_subject_of_set(arena, &order->identifiers);
    struct store_page page;
    struct certificate last;
    return set != NULL && store_list(txn, arena, STORE_CERTIFICATE_BY_SET, set, NULL, 1, true, &page) &&
           page.ids.count > 0 && store_get_certificate(txn, arena, page.ids.items[0], &last) &&
           now_ms - last.not_before_ms <= RENEWAL_DAYS * DAY_MS;
}

void limit_issued(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const struct order *order)
{
    int64_t now_ms = world_now_ms(caraway->world);
    size_t count;
    if (renewal_is_timely(txn, arena, order, now_ms))
        return;
    struct limit_ask *asks = limit_issuance_asks(caraway, arena, order, &count);
    if (asks == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    bool renewal = is_renewal(txn, arena, order, now_ms);
    limits_spend(caraway->limits, txn, arena, now_ms, renewal ? asks + count - 1 : asks, renewal ? 1 : count);
}

/* ---- new-order */

static bool check_failures(struct store_txn *txn, struct request *rq, const struct order *order)
{
    size_t count = order->identifiers.count;
    struct limit_ask *asks = arena_array(rq->arena, count, sizeof *asks);
    if (asks == NULL)
        return memory_out(&rq->problem);
    for (size_t i = 0; i < count; i++) {
        const struct acme_identifier *identifier = &order->identifiers.items[i];
        TRY(pause_check(txn, rq, identifier));
        asks[i] = (struct limit_ask) { LIMIT_FAILURES_PER_NAME, name_of_account(rq->arena, order->account, identifier),
                                       identifier_base(identifier) };
        if (asks[i].subject == NULL)
            return memory_out(&rq->problem);
    }
    return limits_check(rq->caraway->limits, txn, rq->arena, rq->now_ms, asks, count, &rq->problem);
}

bool limit_new_order(struct store_txn *txn, struct request *rq, const struct order *order)
{
    struct caraway *caraway = rq->caraway;
    const struct limit_ask account = { LIMIT_ORDERS_PER_ACCOUNT, order->account, NULL };
    size_t count;
    if (renewal_is_timely(txn, rq->arena, order, rq->now_ms))
        return true;
    TRY(check_failures(txn, rq, order));
    struct limit_ask *asks = limit_issuance_asks(caraway, rq->arena, order, &count);
    if (asks == NULL)
        return memory_out(&rq->problem);
    bool renewal = is_renewal(txn, rq->arena, order, rq->now_ms);
    TRY(renewal || limits_check(caraway->limits, txn, rq->arena, rq->now_ms, &account, 1, &rq->problem));
    TRY(limits_check(caraway->limits, txn, rq->arena, rq->now_ms, renewal ? asks + count - 1 : asks,
                     renewal ? 1 : count, &rq->problem));
    if (!renewal)
        limits_spend(caraway->limits, txn, rq->arena, rq->now_ms, &account, 1);
    return true;
}

/* ---- authorizations */

void limit_decided(struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                   const struct authorization *authorization, bool ok)
{
    int64_t now_ms = world_now_ms(caraway->world);
    const char *subject = name_of_account(arena, authorization->account, &authorization->identifier);
    if (subject == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    const struct limit_ask failures = { LIMIT_FAILURES_PER_NAME, subject, NULL };
    const struct limit_ask before_pause = { LIMIT_FAILURES_BEFORE_PAUSE, subject, NULL };
    if (ok) {
        const char *id = limit_bucket_id(arena, LIMIT_FAILURES_BEFORE_PAUSE, subject);
        if (id != NULL)
            store_delete_rate_bucket(txn, id);
        return;
    }
    limits_spend(caraway->limits, txn, arena, now_ms, &failures, 1);
    if (!limit_look(caraway->limits, txn, arena, &before_pause, now_ms, 1).allowed)
        pause_name(txn, arena, authorization, now_ms);
    else
        limits_spend(caraway->limits, txn, arena, now_ms, &before_pause, 1);
}
