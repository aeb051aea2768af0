#include "server/finalize.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/order.h"
#include "server/payload.h"
#include "server/profile.h"
#include "server/renewal.h"

struct finalize {
    struct order order;
    struct csr *csr;           /* owned */
    struct ca_request signing; /* owns its der */
    char serial[CA_SERIAL_TEXT_SIZE];
    struct certificate certificate;
};

static void finalize_release(struct request *rq)
{
    struct finalize *state = rq->state;
    csr_drop(state->csr);
    OPENSSL_free(state->signing.der);
}

/* ---- checks */

static bool check_ready(struct request *rq, const struct order *order)
{
    enum order_state state = order_state_at(order, rq->now_ms);
    if (state == ORDER_READY)
        return true;
    const char *hint = state == ORDER_PENDING ? "; complete its authorizations first"
                       : state == ORDER_VALID ? "; its certificate is there already"
                                              : "; make a new order";
    return problem_fail(&rq->problem, PROBLEM_ORDER_NOT_READY, "The order is %s and cannot be finalized%s",
                        state_text(&order_states, state), hint);
}

static bool read_order(struct request *rq, struct order *out)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an order");
    TRY(order_load(rq, txn, out));
    return check_ready(rq, out);
}

static bool parse_csr(struct request *rq, struct csr **out)
{
    struct bytes der = { 0 };
    char why[CSR_WHY_SIZE];
    TRY(payload_b64url(rq, "csr", CSR_MAX_BYTES, &der));
    if (der.len == 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The payload needs \"csr\": the certificate signing request (DER) as base64url");
    enum csr_status status = csr_parse(der, out, why);
    if (status == CSR_NO_MEMORY)
        return problem_out_of_memory(&rq->problem);
    return status == CSR_OK || problem_fail(&rq->problem, PROBLEM_BAD_CSR, "The CSR %s", why);
}

static bool has_identifier(const struct acme_identifier *list, size_t count, const struct acme_identifier *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (identifier_compare(&list[i], wanted) == 0)
            return true;
    }
    return false;
}

static bool check_names(struct request *rq, const struct csr *csr, const struct identifiers *ordered)
{
    size_t count;
    const struct acme_identifier *asked = csr_identifiers(csr, &count);
    for (size_t i = 0; i < count; i++) {
        if (!has_identifier(ordered->items, ordered->count, &asked[i]))
            return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                                "The CSR asks for \"%s\", which the order does not name; both must have the same names",
                                asked[i].value);
    }
    for (size_t i = 0; i < ordered->count; i++) {
        if (!has_identifier(asked, count, &ordered->items[i]))
            return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                                "The CSR leaves out \"%s\", which the order names; both must have the same names",
                                ordered->items[i].value);
    }
    return true;
}

static bool check_csr(struct request *rq, const struct finalize *state)
{
    TRY(check_names(rq, state->csr, &state->order.identifiers));
    if (csr_key_is(state->csr, jwk_pkey(rq->key)))
        return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                            "The CSR's key is the account's key; a certificate needs a key of its own");
    return true;
}

/* ---- storing */

static bool store_certificate(struct store_txn *txn, struct request *rq)
{
    struct finalize *state = rq->state;
    struct order *order = &state->order;
    struct certificate clash;
    TRY(order_load(rq, txn, order));
    TRY(check_ready(rq, order));
    TRY(renewal_check_replaces(txn, rq, order));
    if (store_get_certificate(txn, rq->arena, state->serial, &clash))
        return problem_internal(&rq->problem, "the serial %s exists already", state->serial);
    order_move(order, ORDER_PROCESSING);
    order->certificate = state->serial;
    order_move(order, ORDER_VALID);
    store_put_certificate(txn, &state->certificate);
    store_put_order(txn, order);
    renewal_note(txn, rq, order);
    return true;
}

static bool after_finalize(struct request *rq)
{
    const struct finalize *state = rq->state;
    log_event(rq->caraway->log, LOG_CERTIFICATE_ISSUED, LOG_TEXT("serial", state->serial),
              LOG_TEXT("name", state->order.identifiers.items[0].value),
              LOG_INT("names", (int64_t)state->order.identifiers.count), LOG_TEXT("order", state->order.id),
              LOG_TEXT("account", rq->account.id));
    return order_reply(rq, &state->order, 200);
}

static bool fill_certificate(struct request *rq, struct finalize *state)
{
    const struct ca_request *signing = &state->signing;
    uint8_t *key_hash = arena_alloc(rq->arena, SHA256_BYTES);
    if (key_hash == NULL)
        return problem_out_of_memory(&rq->problem);
    csr_key_hash(state->csr, key_hash);
    state->certificate = (struct certificate) {
        .serial = state->serial,
        .state = CERTIFICATE_VALID,
        .account = rq->account.id,
        .order = state->order.id,
        .identifiers = state->order.identifiers,
        .profile = state->order.profile,
        .issuer = ca_issuer_id(rq->caraway->ca),
        .not_before_ms = signing->not_before_ms,
        .not_after_ms = signing->not_after_ms,
        .der = bytes_of(signing->der, signing->der_len),
        .key_hash = bytes_of(key_hash, SHA256_BYTES),
    };
    return true;
}

/* On a signing thread, which owns the request until it hands it on. */
static void signed_certificate(struct ca_request *signing, void *arg)
{
    struct request *rq = arg;
    if (signing->status != CA_OK)
        log_event(rq->caraway->log, LOG_CERTIFICATE_REFUSED, LOG_TEXT("cause", signing->why),
                  LOG_TEXT("account", rq->account.id));
    bool ok = signing->status == CA_OK || problem_internal(&rq->problem, "signing: %s", signing->why);
    if (ok && fill_certificate(rq, rq->state)) {
        request_submit(rq, store_certificate, after_finalize);
        return;
    }
    rq->refused = true;
    request_resume(rq);
}

/* ---- signing */

static void set_profile(struct request *rq, const struct profile *profile, struct finalize *state)
{
    const struct settings *settings = rq->caraway->settings;
    const struct order *order = &state->order;
    int64_t from = order->not_before_ms != 0 ? order->not_before_ms : rq->now_ms - settings->ca_backdate_ms;
    from -= from % 1000;
    state->signing.not_before_ms = from;
    /* RFC 5280 §4.1.2.5: notAfter itself still belongs to the lifetime */
    state->signing.not_after_ms =
        order->not_after_ms != 0 ? order->not_after_ms : from + profile_lifetime_ms(profile, settings) - 1000;
    state->signing.without = profile->without;
}

bool order_finalize(struct request *rq)
{
    struct finalize *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->state = state;
    rq->release = finalize_release;
    TRY(payload_required(rq));
    TRY(read_order(rq, &state->order));
    TRY(parse_csr(rq, &state->csr));
    TRY(check_csr(rq, state));
    const struct profile *profile = profile_find(state->order.profile);
    if (profile == NULL)
        return problem_fail(&rq->problem, PROBLEM_INVALID_PROFILE,
                            "The profile \"%s\" of the order is no longer offered", state->order.profile);
    ca_make_serial(rq->caraway->world, state->serial);
    state->signing = (struct ca_request) {
        .csr = state->csr,
        .identifiers = state->order.identifiers.items,
        .identifier_count = state->order.identifiers.count,
        .serial = state->serial,
        .done = signed_certificate,
        .arg = rq,
    };
    set_profile(rq, profile, state);
    request_wait(rq, after_finalize);
    ca_submit(rq->caraway->ca, &state->signing);
    return true;
}

/* ---- the certificate */

/* RFC 8555 §7.4.2: PEM unless the client asks for the leaf alone, as DER. */
static bool wants_der(const struct request *rq)
{
    return rq->accept != NULL && strstr(rq->accept, "application/pkix-cert") != NULL &&
           strstr(rq->accept, "application/pem-certificate-chain") == NULL;
}

static bool write_chain(struct request *rq, const struct certificate *certificate)
{
    struct buf *body = &rq->reply.body;
    rq->reply.status = 200;
    rq->reply.content_type = wants_der(rq) ? "application/pkix-cert" : "application/pem-certificate-chain";
    if (wants_der(rq)) {
        buf_append(body, certificate->der.data, certificate->der.len);
    } else {
        crypto_pem(body, "CERTIFICATE", certificate->der);
        buf_text(body, ca_chain_pem(rq->caraway->ca));
    }
    return !body->failed || problem_internal(&rq->problem, "the certificate %s cannot be written", certificate->serial);
}

bool certificate_get(struct request *rq)
{
    struct certificate certificate;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading a certificate");
    if (!store_get_certificate(txn, rq->arena, rq->params[0], &certificate)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading a certificate");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no certificate %s", rq->params[0]);
    }
    if (strcmp(certificate.account, rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This certificate belongs to another account");
    return write_chain(rq, &certificate);
}
