#include "server/protocol/revocation.h"

#include "ca/certificate.h"
#include "server/protocol/authorization.h"
#include "server/caraway.h"
#include "server/web/payload.h"
#include "server/webhook/webhook.h"

enum { CERTIFICATE_MAX_BYTES = 32 * 1024, REASON_KEY_COMPROMISE = 1 };

/* RFC 5280 §5.3.1: the reasons that may stand on an end-entity certificate by its holder's word. */
static const int reasons[] = { 0, 1, 3, 4, 5, 9 };

struct revocation {
    struct bytes der;
    char serial[CA_SERIAL_TEXT_SIZE];
    int reason;
    struct certificate certificate;
};

static bool read_reason(struct request *rq, int *out)
{
    const json_t *value = json_object_get(rq->payload, "reason");
    *out = 0;
    if (value == NULL)
        return true;
    if (!json_is_integer(value))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"reason\" in the payload must be a number");
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (json_integer_value(value) == reasons[i]) {
            *out = reasons[i];
            return true;
        }
    }
    return problem_fail(&rq->problem, PROBLEM_BAD_REVOCATION_REASON,
                        "The reason %lld is not taken; use 0 (unspecified), 1 (keyCompromise), 3 (affiliationChanged), "
                        "4 (superseded), 5 (cessationOfOperation) or 9 (privilegeWithdrawn)",
                        (long long)json_integer_value(value));
}

static bool read_certificate(struct request *rq, struct revocation *state)
{
    TRY(payload_b64url(rq, "certificate", CERTIFICATE_MAX_BYTES, &state->der));
    if (state->der.len == 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The payload needs \"certificate\": the certificate (DER) as base64url");
    if (!certificate_serial(state->der, state->serial))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"certificate\" is not a certificate of this server");
    return true;
}

/* The stored certificate, byte for byte the one that was sent. */
static bool load_certificate(struct request *rq, struct store_txn *txn, struct revocation *state)
{
    if (!store_get_certificate(txn, rq->arena, state->serial, &state->certificate) && store_txn_status(txn) != STORE_OK)
        return problem_from_store(&rq->problem, store_txn_status(txn), "reading a certificate");
    if (state->certificate.serial == NULL || !bytes_equal(state->certificate.der, state->der))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "This server did not issue that certificate");
    if (state->certificate.state == CERTIFICATE_REVOKED)
        return problem_fail(&rq->problem, PROBLEM_ALREADY_REVOKED, "The certificate %s is revoked already",
                            state->serial);
    return true;
}

static bool proved(struct request *rq, struct store_txn *txn, const struct acme_identifier *identifier)
{
    const struct authorization_wish wish = { { identifier->type, identifier_base(identifier) },
                                             identifier_is_wildcard(identifier) ? SCOPE_WILDCARD : SCOPE_NAME };
    struct authorization unused;
    AUTO(arena) scratch = arena_create(AUTHORIZATION_MAX_BYTES);
    if (scratch == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    return scratch != NULL && authorization_find_valid(txn, rq, scratch, &wish, &unused);
}

static bool may_revoke(struct request *rq, struct store_txn *txn, const struct revocation *state)
{
    const struct identifiers *names = &state->certificate.identifiers;
    if (rq->account.id == NULL)
        return certificate_key_is(state->der, jwk_pkey(rq->key)) ||
               problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                            "The request is signed by a key that is not the certificate's");
    if (strcmp(state->certificate.account, rq->account.id) == 0)
        return true;
    for (size_t i = 0; i < names->count; i++) {
        if (!proved(rq, txn, &names->items[i]))
            return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                                "The account did not order this certificate and holds no valid authorization for %s",
                                names->items[i].value);
    }
    return true;
}

static bool store_revocation(struct store_txn *txn, struct request *rq)
{
    struct revocation *state = rq->state;
    state->certificate = (struct certificate) { 0 };
    TRY(load_certificate(rq, txn, state));
    TRY(may_revoke(rq, txn, state));
    state->certificate.state = CERTIFICATE_REVOKED;
    state->certificate.revoked_ms = rq->now_ms;
    /* who holds the key shows by that alone that it is in other hands than an account's */
    state->certificate.revoked_reason = rq->account.id == NULL ? REASON_KEY_COMPROMISE : state->reason;
    store_put_certificate(txn, &state->certificate);
    webhook_certificate(rq->caraway, txn, WEBHOOK_REVOKED, &state->certificate);
    return true;
}

static bool after_revocation(struct request *rq)
{
    const struct revocation *state = rq->state;
    log_event(rq->caraway->log, LOG_CERTIFICATE_REVOKED, LOG_TEXT("serial", state->serial),
              LOG_INT("reason", state->certificate.revoked_reason), LOG_TEXT("account", rq->account.id));
    webhook_kick(rq->caraway);
    reply_empty(rq, 200);
    return true;
}

bool revocation_post(struct request *rq)
{
    struct revocation *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(read_certificate(rq, state));
    TRY(read_reason(rq, &state->reason));
    rq->state = state;
    request_submit(rq, store_revocation, after_revocation);
    return true;
}
