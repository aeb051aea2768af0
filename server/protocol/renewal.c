#include "server/protocol/renewal.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/protocol/order.h"
#include "server/web/payload.h"

#define SECOND_MS INT64_C(1000)
#define HOUR_MS   (3600 * SECOND_MS)
#define DAY_MS    (24 * HOUR_MS)

enum { RETRY_AFTER_S = 6 * 3600, SHORT_LIVED_DAYS = 10, WINDOW_PER_CENT = 2 };

/* ---- "base64url(AKI) . base64url(serial)" (RFC 9773 §4.1) */

static bool id_malformed(struct request *rq, const char *id)
{
    return problem_fail(
        &rq->problem, PROBLEM_MALFORMED,
        "\"%.120s\" is not a certificate id: base64url of its authority key id, a dot, base64url of its "
        "serial",
        id);
}

static bool id_unknown(struct acme_problem *problem, const char *id)
{
    return problem_fail_status(problem, PROBLEM_MALFORMED, 404, "No certificate here has the id %.120s", id);
}

/* The serial as hex, when the id is well-formed and names our issuer. */
static bool read_id(struct request *rq, const char *id, const char **out_serial)
{
    const char *dot = strchr(id, '.');
    struct bytes authority, serial;
    if (dot == NULL || !b64url_decode(rq->arena, bytes_of(id, (size_t)(dot - id)), &authority) ||
        !b64url_decode(rq->arena, bytes_text(dot + 1), &serial) || authority.len == 0 || serial.len == 0)
        return id_malformed(rq, id);
    const char *issuer = arena_hex(rq->arena, authority);
    *out_serial = arena_hex(rq->arena, serial);
    if (issuer == NULL || *out_serial == NULL)
        return problem_out_of_memory(&rq->problem);
    return strcmp(issuer, ca_issuer_id(rq->caraway->ca)) == 0 || id_unknown(&rq->problem, id);
}

static bool load_by_id(struct store_txn *txn, struct arena *arena, const char *id, const char *serial,
                       struct certificate *out, struct acme_problem *problem)
{
    if (store_get_certificate(txn, arena, serial, out))
        return true;
    if (store_txn_status(txn) != STORE_OK)
        return problem_from_store(problem, store_txn_status(txn), "reading a certificate");
    return id_unknown(problem, id);
}

/* ---- the window */

struct renewal_window renewal_window(const struct certificate *certificate)
{
    if (certificate->renew_until_ms != 0)
        return (struct renewal_window) { certificate->renew_from_ms, certificate->renew_until_ms };
    if (certificate->state == CERTIFICATE_REVOKED)
        return (struct renewal_window) { certificate->revoked_ms - HOUR_MS, certificate->revoked_ms - HOUR_MS / 2 };
    int64_t life = certificate->not_after_ms - certificate->not_before_ms;
    int64_t middle = certificate->not_before_ms + (life < SHORT_LIVED_DAYS * DAY_MS ? life / 2 : life / 3 * 2);
    int64_t half = life * WINDOW_PER_CENT / 200;
    half = half < SECOND_MS ? SECOND_MS : half; /* RFC 9773 §4.2: it ends after it starts, in whole seconds too */
    return (struct renewal_window) { middle - half, middle + half };
}

static bool reply_window(struct request *rq, const struct certificate *certificate)
{
    struct renewal_window window = renewal_window(certificate);
    reply_header(rq, "Retry-After", arena_printf(rq->arena, "%d", RETRY_AFTER_S));
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_object(&out, "suggestedWindow");
    json_out_time(&out, "start", window.from_ms);
    json_out_time(&out, "end", window.until_ms);
    json_out_end_object(&out);
    if (certificate->renew_explanation != NULL)
        json_out_text(&out, "explanationURL", certificate->renew_explanation);
    json_out_end_object(&out);
    return true;
}

bool renewal_info_get(struct request *rq)
{
    const char *serial;
    struct certificate certificate;
    TRY(read_id(rq, rq->params[0], &serial));
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading a certificate");
    TRY(load_by_id(txn, rq->arena, rq->params[0], serial, &certificate, &rq->problem));
    return reply_window(rq, &certificate);
}

/* ---- replaces (RFC 9773 §5) */

static bool names_meet(const struct identifiers *a, const struct identifiers *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (identifier_compare(&a->items[i], &b->items[k]) == 0)
                return true;
    return false;
}

/* An order that came to nothing gives the certificate free again (§5). */
static bool is_taken(struct store_txn *txn, struct arena *arena, const struct certificate *certificate,
                     const struct order *by, int64_t now_ms)
{
    struct order other;
    if (certificate->replaced_by == NULL || strcmp(certificate->replaced_by, by->id) == 0)
        return false;
    return store_get_order(txn, arena, certificate->replaced_by, &other) && order_follow(txn, &other, now_ms) &&
           order_state_at(&other, now_ms) != ORDER_INVALID;
}

bool renewal_check_replaces(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms,
                            struct acme_problem *problem)
{
    struct certificate certificate;
    if (order->replaces == NULL)
        return true;
    TRY(load_by_id(txn, arena, order->replaces_id, order->replaces, &certificate, problem));
    if (strcmp(certificate.account, order->account) != 0)
        return problem_fail(problem, PROBLEM_UNAUTHORIZED, "\"replaces\" names a certificate of another account");
    if (!names_meet(&certificate.identifiers, &order->identifiers))
        return problem_fail(problem, PROBLEM_MALFORMED,
                            "\"replaces\" names a certificate that has no identifier in common with the order");
    if (is_taken(txn, arena, &certificate, order, now_ms))
        return problem_fail(problem, PROBLEM_ALREADY_REPLACED,
                            "The certificate that \"replaces\" names is replaced already, by order %s",
                            certificate.replaced_by);
    return true;
}

bool renewal_is_timely(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms)
{
    struct certificate certificate;
    if (order->replaces == NULL || !store_get_certificate(txn, arena, order->replaces, &certificate))
        return false;
    struct renewal_window window = renewal_window(&certificate);
    int64_t ordered_ms = order->created_ms != 0 ? order->created_ms : now_ms;
    return ordered_ms >= window.from_ms && ordered_ms <= window.until_ms;
}

bool renewal_read_replaces(struct request *rq, struct order *order)
{
    TRY(payload_text(rq, "replaces", &order->replaces_id));
    return order->replaces_id == NULL || read_id(rq, order->replaces_id, &order->replaces);
}

void renewal_note(struct store_txn *txn, struct arena *arena, const struct order *order)
{
    struct certificate certificate;
    if (order->replaces == NULL || !store_get_certificate(txn, arena, order->replaces, &certificate))
        return;
    certificate.replaced_by = order->id;
    store_put_certificate(txn, &certificate);
}
