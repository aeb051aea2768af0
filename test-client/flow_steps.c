#include "test-client/flow_inside.h"

#include <stdio.h>

static enum flow_verdict go(struct tc_flow *flow, enum flow_step step)
{
    flow->step = step;
    return FLOW_NEXT;
}

static enum flow_verdict wait_in(struct tc_flow *flow, enum flow_step step)
{
    flow->step = step;
    return FLOW_WAIT;
}

static enum flow_verdict fail_protocol(struct tc_flow *flow, const char *why)
{
    return flow_fail(flow, "(protocol)", why);
}

/* The problem the server gave, or words of ours where it gave none. */
static enum flow_verdict fail_with(struct tc_flow *flow, const struct tc_problem *problem, const char *otherwise)
{
    if (problem == NULL)
        return fail_protocol(flow, otherwise);
    flow->problem = problem;
    return FLOW_FAIL;
}

static void progress(const struct tc_flow *flow, const char *step, const char *text)
{
    if (flow->events.progress != NULL)
        flow->events.progress(flow->events.arg, step, text);
}

void flow_forget_challenges(struct tc_flow *flow)
{
    for (size_t i = 0; flow->authorizations != NULL && i < flow->order.authorization_count; i++) {
        struct flow_authorization *authorization = &flow->authorizations[i];
        if (authorization->answerable)
            tc_responder_remove(flow->setup->responder, &authorization->proof);
        authorization->answerable = false;
    }
}

/* directory (RFC 8555 §7.1.1) and nonce (§7.2) */

static const char *directory_url(const struct tc_flow *flow)
{
    return flow->setup->directory_url;
}

static enum flow_verdict directory_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    if (!tc_read_directory(flow->lasting, buf_bytes(&answer->body), &flow->directory, why))
        return fail_protocol(flow, why);
    progress(flow, "directory", flow->setup->directory_url);
    return go(flow, STEP_ACCOUNT);
}

static const char *nonce_url(const struct tc_flow *flow)
{
    return flow->directory.new_nonce;
}

static enum flow_verdict nonce_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    (void)answer;
    if (flow->nonce[0] == '\0')
        return fail_protocol(flow, "the server gave no nonce");
    return go(flow, flow->resume);
}

/* account (§7.3) */

static const char *account_url(const struct tc_flow *flow)
{
    return flow->directory.new_account;
}

static bool account_payload(struct tc_flow *flow)
{
    tc_write_new_account(&flow->payload, flow->setup->contacts, flow->setup->contact_count);
    return true;
}

static enum flow_verdict account_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    const char *location = tc_answer_header(answer, "Location", 0);
    if (location == NULL)
        return fail_protocol(flow, "the server's answer to new-account has no Location");
    flow->kid = arena_text(flow->lasting, location);
    if (flow->kid == NULL)
        return flow_fail(flow, "(client)", "out of memory");
    progress(flow, "account", flow->kid);
    return flow->wanted.identifier_count > 0 ? go(flow, STEP_ORDER) : FLOW_DONE;
}

/* order (§7.4) */

static const char *new_order_url(const struct tc_flow *flow)
{
    return flow->directory.new_order;
}

static bool order_payload(struct tc_flow *flow)
{
    tc_write_new_order(&flow->payload, flow->wanted.identifiers, flow->wanted.identifier_count);
    return true;
}

/* The order as it stands says what comes next, once its names are proved. */
static enum flow_verdict follow_order(struct tc_flow *flow)
{
    switch (flow->order.state) {
    case ORDER_READY:
        /* a finalized order that still says "ready" is on its way: a second finalize would be refused */
        return flow->finalized ? wait_in(flow, STEP_ISSUANCE) : go(flow, STEP_FINALIZE);
    case ORDER_PENDING:
    case ORDER_PROCESSING:
        return wait_in(flow, STEP_ISSUANCE);
    case ORDER_VALID:
        return go(flow, STEP_CERTIFICATE);
    default:
        return fail_with(flow, flow->order.problem, "the order became invalid and the server does not say why");
    }
}

static enum flow_verdict order_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    const char *location = tc_answer_header(answer, "Location", 0);
    if (location == NULL)
        return fail_protocol(flow, "the server's answer to new-order has no Location");
    flow->order_url = arena_text(flow->arena, location);
    if (!tc_read_order(flow->arena, buf_bytes(&answer->body), &flow->order, why))
        return fail_protocol(flow, why);
    flow->authorizations = arena_array(flow->arena, flow->order.authorization_count, sizeof *flow->authorizations);
    if (flow->authorizations == NULL || flow->order_url == NULL)
        return flow_fail(flow, "(client)", "out of memory");
    flow->current = 0;
    progress(flow, "order", flow->order_url);
    return flow->order.state == ORDER_PENDING ? go(flow, STEP_AUTHORIZATION) : follow_order(flow);
}

/* authorizations and challenges (§7.5): all challenges are answered first, so that the server may check them at once */

static const char *authorization_url(const struct tc_flow *flow)
{
    return flow->order.authorizations[flow->current];
}

static enum flow_verdict next_validation(struct tc_flow *flow)
{
    while (flow->current < flow->order.authorization_count && flow->authorizations[flow->current].valid)
        flow->current++;
    return go(flow, flow->current < flow->order.authorization_count ? STEP_VALIDATION : STEP_FINALIZE);
}

/* The server gets a moment before the first look. */
static enum flow_verdict next_authorization(struct tc_flow *flow)
{
    flow->current++;
    if (flow->current < flow->order.authorization_count)
        return go(flow, STEP_AUTHORIZATION);
    flow->current = 0;
    enum flow_verdict verdict = next_validation(flow);
    return flow->step == STEP_VALIDATION ? FLOW_WAIT : verdict;
}

static enum flow_verdict prepare_challenge(struct tc_flow *flow, const struct tc_authorization *read)
{
    struct flow_authorization *authorization = &flow->authorizations[flow->current];
    const struct tc_prover prover = { &flow->directory, flow->kid, jwk_thumbprint(flow->account_key) };
    authorization->challenge = read->challenge;
    if (!tc_proof_make(flow->arena, &prover, flow->setup->challenge, read, &authorization->proof) ||
        !tc_responder_add(flow->setup->responder, &authorization->proof))
        return flow_fail(flow, "(client)", "the challenge cannot be answered here");
    authorization->answerable = true;
    return go(flow, STEP_CHALLENGE);
}

static enum flow_verdict authorization_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    struct tc_authorization read;
    if (!tc_read_authorization(flow->arena, buf_bytes(&answer->body), flow->setup->challenge, &read, why))
        return fail_protocol(flow, why);
    struct flow_authorization *authorization = &flow->authorizations[flow->current];
    authorization->name = read.name;
    authorization->valid = read.state == AUTHORIZATION_VALID;
    if (authorization->valid) {
        progress(flow, "valid", read.name);
        return next_authorization(flow);
    }
    if (read.state != AUTHORIZATION_PENDING)
        return fail_with(flow, read.problem, "the authorization is no longer pending");
    if (read.offered)
        return prepare_challenge(flow, &read);
    snprintf(why, sizeof why, "the server does not offer %s for %s", challenge_type_text(flow->setup->challenge),
             read.name);
    return fail_protocol(flow, why);
}

static const char *challenge_url(const struct tc_flow *flow)
{
    return flow->authorizations[flow->current].challenge.url;
}

static bool challenge_payload(struct tc_flow *flow)
{
    buf_text(&flow->payload, "{}");
    return true;
}

static enum flow_verdict challenge_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    struct tc_challenge read;
    struct flow_authorization *authorization = &flow->authorizations[flow->current];
    if (!tc_read_challenge(flow->arena, buf_bytes(&answer->body), &read, why))
        return fail_protocol(flow, why);
    if (read.state == CHALLENGE_INVALID)
        return fail_with(flow, read.problem, "the challenge failed and the server does not say why");
    authorization->valid = read.state == CHALLENGE_VALID;
    progress(flow, challenge_type_text(flow->setup->challenge), authorization->name);
    return next_authorization(flow);
}

static enum flow_verdict validation_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    struct tc_authorization read;
    if (!tc_read_authorization(flow->arena, buf_bytes(&answer->body), flow->setup->challenge, &read, why))
        return fail_protocol(flow, why);
    if (read.state == AUTHORIZATION_PENDING)
        return FLOW_WAIT;
    if (read.state != AUTHORIZATION_VALID)
        return fail_with(flow, read.problem, "the authorization failed and the server does not say why");
    flow->authorizations[flow->current].valid = true;
    progress(flow, "valid", read.name);
    return next_validation(flow);
}

/* finalize, issuance and certificate (§7.4, §7.4.2) */

static const char *finalize_url(const struct tc_flow *flow)
{
    return flow->order.finalize;
}

static bool finalize_payload(struct tc_flow *flow)
{
    buf_clear(&flow->csr);
    TRY(tc_csr_make(flow->wanted.key, flow->wanted.identifiers, flow->wanted.identifier_count, &flow->csr));
    tc_write_finalize(&flow->payload, buf_bytes(&flow->csr));
    return true;
}

static enum flow_verdict order_again(struct tc_flow *flow, const struct tc_answer *answer)
{
    char why[TC_WHY_SIZE];
    struct tc_order order;
    if (!tc_read_order(flow->arena, buf_bytes(&answer->body), &order, why))
        return fail_protocol(flow, why);
    if (order.authorization_count != flow->order.authorization_count)
        return fail_protocol(flow, "the order has other authorizations than before");
    flow->order = order;
    return FLOW_NEXT;
}

static enum flow_verdict finalize_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    if (order_again(flow, answer) == FLOW_FAIL)
        return FLOW_FAIL;
    flow->finalized = true;
    progress(flow, "finalize", flow->order.finalize);
    return follow_order(flow);
}

/* A server may take a moment from the last valid authorization to a ready order. */
static bool finalize_recover(struct tc_flow *flow, const struct tc_problem *problem)
{
    TRY(strcmp(problem->type, "orderNotReady") == 0);
    flow->step = STEP_ISSUANCE;
    return true;
}

static const char *order_url(const struct tc_flow *flow)
{
    return flow->order_url;
}

static enum flow_verdict issuance_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    if (order_again(flow, answer) == FLOW_FAIL)
        return FLOW_FAIL;
    return follow_order(flow);
}

static const char *certificate_url(const struct tc_flow *flow)
{
    return flow->order.certificate;
}

static enum flow_verdict certificate_take(struct tc_flow *flow, const struct tc_answer *answer)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    flow->chain = buf_bytes(&answer->body);
    if (flow->chain.len < sizeof begin || memcmp(flow->chain.data, begin, sizeof begin - 1) != 0)
        return fail_protocol(flow, "what the server gives as certificate is none in PEM");
    progress(flow, "certificate", flow->order.certificate);
    return FLOW_DONE;
}

const struct flow_step_row flow_steps[FLOW_STEPS] = {
#define X(name, text, proof, url, payload, take, recover) [STEP_##name] = { text, proof, url, payload, take, recover },
    TC_STEP_TABLE(X)
#undef X
};
