#include "test-client/flow_inside.h"

#include "acme/jws.h"

#include <stdio.h>

enum {
    LASTING_MAX = 256 << 10,
    ARENA_MAX = 8 << 20,
    PAYLOAD_MAX = 1 << 20,
    JWS_MAX = 2 << 20,
    BAD_NONCES_MAX = 10,
    FIRST_POLL_MS = 100,
    LAST_POLL_MS = 3200,
};

const char *const tc_flow_step_names[] = {
#define X(name, text, ...) text,
    TC_STEP_TABLE(X)
#undef X
        NULL
};

static const char out_of_memory[] = "out of memory";
static const struct tc_problem no_memory = { .type = "(client)", .detail = out_of_memory };

static void flow_send(struct tc_flow *flow);

enum flow_verdict flow_fail(struct tc_flow *flow, const char *type, const char *detail)
{
    const struct tc_problem *problem = tc_make_problem(flow->arena, type, detail);
    flow->problem = problem != NULL ? problem : &no_memory;
    return FLOW_FAIL;
}

static void flow_finish(struct tc_flow *flow)
{
    flow_forget_challenges(flow);
    flow->events.done(flow->events.arg, flow);
}

static void flow_end(struct tc_flow *flow, const struct tc_problem *problem)
{
    flow->problem = problem != NULL ? problem : &no_memory;
    flow_finish(flow);
}

static void on_timer(uv_timer_t *timer)
{
    struct tc_flow *flow = timer->data;
    flow->times.paused_us += (uv_hrtime() - flow->paused_ns) / 1000;
    flow_send(flow);
}

static void flow_sleep(struct tc_flow *flow, int64_t wait_ms)
{
    flow->paused_ns = uv_hrtime();
    uv_timer_start(&flow->timer, on_timer, (uint64_t)wait_ms, 0);
}

/* Whether the wait fits into what is left of the flow's patience. */
static bool flow_can_wait(const struct tc_flow *flow, int64_t wait_ms)
{
    return uv_now(flow->setup->loop) + (uint64_t)wait_ms <= flow->deadline_ms;
}

static int64_t poll_wait_ms(const struct tc_flow *flow, const struct tc_answer *answer)
{
    if (flow->setup->poll_ms > 0)
        return flow->polls == 0 ? (flow->setup->poll_ms + 1) / 2 : flow->setup->poll_ms;
    int64_t wait_ms;
    if (flow->polls > 0 &&
        tc_retry_after(tc_answer_header(answer, "Retry-After", 0), world_now_ms(flow->setup->world), &wait_ms))
        return wait_ms;
    wait_ms = flow->polls < 8 ? FIRST_POLL_MS << flow->polls : LAST_POLL_MS;
    return wait_ms < LAST_POLL_MS ? wait_ms : LAST_POLL_MS;
}

static void flow_poll(struct tc_flow *flow, const struct tc_answer *answer)
{
    int64_t wait_ms = poll_wait_ms(flow, answer);
    flow->polls++;
    if (!flow_can_wait(flow, wait_ms)) {
        flow_fail(flow, "(timeout)", "the server did not come to an end in time");
        flow_finish(flow);
    } else if (wait_ms == 0) {
        flow_send(flow);
    } else {
        flow_sleep(flow, wait_ms);
    }
}

static void flow_follow(struct tc_flow *flow, enum flow_step before, enum flow_verdict verdict,
                        const struct tc_answer *answer)
{
    /* fetching a nonce is part of the step it is for */
    if (before != STEP_NONCE) {
        flow->polls = flow->step == before ? flow->polls : 0;
        flow->bad_nonces = 0;
    }
    if (verdict == FLOW_NEXT)
        flow_send(flow);
    else if (verdict == FLOW_WAIT)
        flow_poll(flow, answer);
    else
        flow_finish(flow);
}

static void keep_nonce(struct tc_flow *flow, const struct tc_answer *answer)
{
    const char *nonce = tc_answer_nonce(answer);
    snprintf(flow->nonce, sizeof flow->nonce, "%s", nonce != NULL ? nonce : "");
}

/* RFC 8555 §6.5: a refused nonce is no verdict on the request. §6.6: a busy server says when to come back. */
static bool flow_try_again(struct tc_flow *flow, const struct tc_answer *answer, const struct tc_problem *problem)
{
    if (strcmp(problem->type, "badNonce") == 0 && flow->bad_nonces++ < BAD_NONCES_MAX) {
        flow_send(flow);
        return true;
    }
    int64_t wait_ms;
    if ((answer->status != 429 && answer->status != 503) ||
        !tc_retry_after(tc_answer_header(answer, "Retry-After", 0), world_now_ms(flow->setup->world), &wait_ms) ||
        !flow_can_wait(flow, wait_ms))
        return false;
    flow_sleep(flow, wait_ms);
    return true;
}

static void flow_refused(struct tc_flow *flow, const struct tc_answer *answer)
{
    const struct tc_problem *problem = tc_read_problem(flow->arena, answer);
    const struct flow_step_row *row = &flow_steps[flow->step];
    if (problem != NULL && flow_try_again(flow, answer, problem))
        return;
    enum flow_step before = flow->step;
    if (problem != NULL && row->recover != NULL && row->recover(flow, problem))
        flow_follow(flow, before, FLOW_WAIT, answer);
    else
        flow_end(flow, problem);
}

static void on_answer(void *arg, const char *why)
{
    struct tc_flow *flow = arg;
    const struct tc_answer *answer = tc_exchange_answer(flow->exchange);
    if (why != NULL) {
        char detail[2 * TC_WHY_SIZE];
        snprintf(detail, sizeof detail, "%.500s: %s", flow_steps[flow->step].url(flow), why);
        flow_fail(flow, "(transport)", detail);
        flow_finish(flow);
        return;
    }
    keep_nonce(flow, answer);
    flow->times.answered_us += tc_exchange_answered_us(flow->exchange);
    if (answer->status < 200 || answer->status > 299) {
        flow_refused(flow, answer);
        return;
    }
    enum flow_step before = flow->step;
    if (before == flow->alone)
        flow_finish(flow);
    else
        flow_follow(flow, before, flow_steps[before].take(flow, answer), answer);
}

/* Makes the signed body in flow->jws, which the exchange reads in place. */
static bool flow_sign(struct tc_flow *flow, const struct flow_step_row *row, const char *url)
{
    buf_clear(&flow->payload);
    buf_clear(&flow->jws);
    TRY(row->payload == NULL || row->payload(flow));
    struct jws_header header = { .kid = row->proof == PROOF_KID ? flow->kid : NULL, .nonce = flow->nonce, .url = url };
    TRY(!flow->payload.failed);
    TRY(jws_sign(&flow->jws, flow->account_key, &header, bytes_of(buf_str(&flow->payload), flow->payload.len)));
    flow->nonce[0] = '\0';
    return !flow->jws.failed;
}

static bool flow_start_step(struct tc_flow *flow)
{
    const struct flow_step_row *row = &flow_steps[flow->step];
    bool is_signed = row->proof >= PROOF_JWK;
    struct tc_exchange_request request = {
        .method = row->proof == PROOF_GET    ? "GET"
                  : row->proof == PROOF_HEAD ? "HEAD"
                                             : "POST",
        .url = row->url(flow),
        .content_type = is_signed ? "application/jose+json" : NULL,
    };
    if (is_signed) {
        TRY(flow_sign(flow, row, request.url));
        request.body = buf_bytes(&flow->jws);
    }
    return tc_exchange_prepare(flow->exchange, &request) && tc_fetch_start(flow->setup->fetcher, &flow->fetch);
}

static void flow_send(struct tc_flow *flow)
{
    if (flow_steps[flow->step].proof >= PROOF_JWK && flow->nonce[0] == '\0') {
        flow->resume = flow->step;
        flow->step = STEP_NONCE;
    }
    if (flow_steps[flow->step].url(flow) == NULL) {
        flow_fail(flow, "(client)", "the latest certificate left no URL for this step");
        flow_finish(flow);
    } else if (!flow_start_step(flow)) {
        flow_end(flow, &no_memory);
    }
}

static void flow_begin(struct tc_flow *flow, const struct tc_flow_order *wanted, enum flow_step step)
{
    CHECK(!flow->fetch.running && !uv_is_active((uv_handle_t *)&flow->timer));
    flow->wanted = *wanted;
    flow->problem = NULL;
    flow->polls = 0;
    flow->bad_nonces = 0;
    flow->times = (struct tc_flow_times) { 0 };
    flow->step = step;
    uv_update_time(flow->setup->loop);
    flow->deadline_ms = uv_now(flow->setup->loop) + (uint64_t)flow->setup->patience_ms;
    /* from the loop, so that a failure at once does not call done before the caller is back */
    flow_sleep(flow, 0);
}

static void flow_start(struct tc_flow *flow, const struct tc_flow_order *wanted)
{
    arena_reset(flow->arena);
    flow->authorizations = NULL;
    flow->finalized = false;
    flow->chain = bytes_of(NULL, 0);
    flow->alone = FLOW_STEPS;
    enum flow_step behind_directory = flow->kid == NULL ? STEP_ACCOUNT : STEP_ORDER;
    flow_begin(flow, wanted, flow->directory.new_nonce == NULL ? STEP_DIRECTORY : behind_directory);
}

void tc_flow_register(struct tc_flow *flow)
{
    flow_start(flow, &(struct tc_flow_order) { 0 });
}

void tc_flow_issue(struct tc_flow *flow, const struct tc_flow_order *order)
{
    CHECK(order->identifier_count > 0 && order->key != NULL);
    flow_start(flow, order);
}

void tc_flow_repeat(struct tc_flow *flow, int step, const struct tc_flow_order *order)
{
    CHECK(step >= 0 && step < FLOW_STEPS);
    flow->alone = (enum flow_step)step;
    flow->current = 0;
    flow_begin(flow, order, flow->alone);
}

bool tc_flow_set_key(struct tc_flow *flow, EVP_PKEY *account_key)
{
    struct jwk *key = jwk_from_pkey(account_key);
    TRY(key != NULL);
    jwk_drop(flow->account_key);
    flow->account_key = key;
    return true;
}

static void free_flow(uv_handle_t *handle)
{
    struct tc_flow *flow = handle->data;
    jwk_drop(flow->account_key);
    tc_exchange_drop(flow->exchange);
    arena_drop(flow->lasting);
    arena_drop(flow->arena);
    buf_free(&flow->payload);
    buf_free(&flow->csr);
    buf_free(&flow->jws);
    free(flow);
}

void tc_flow_drop(struct tc_flow *flow)
{
    if (flow == NULL)
        return;
    tc_fetch_stop(flow->setup->fetcher, &flow->fetch);
    flow_forget_challenges(flow);
    uv_close((uv_handle_t *)&flow->timer, free_flow);
}

struct tc_flow *tc_flow_create(const struct tc_flow_setup *setup, EVP_PKEY *account_key,
                               const struct tc_flow_events *events)
{
    struct tc_flow *created = calloc(1, sizeof *created);
    if (created == NULL)
        return NULL;
    created->setup = setup;
    created->timer.data = created;
    uv_timer_init(setup->loop, &created->timer);
    AUTO(tc_flow) flow = created;
    flow->events = *events;
    flow->account_key = jwk_from_pkey(account_key);
    flow->exchange = tc_exchange_create(&setup->exchange);
    flow->fetch = (struct tc_fetch) { .exchange = flow->exchange, .done = on_answer, .arg = flow };
    flow->lasting = arena_create(LASTING_MAX);
    flow->arena = arena_create(ARENA_MAX);
    flow->payload = BUF_INIT(PAYLOAD_MAX);
    flow->csr = BUF_INIT(TC_CSR_MAX);
    flow->jws = BUF_INIT(JWS_MAX);
    bool whole = flow->account_key != NULL && flow->exchange != NULL && flow->lasting != NULL && flow->arena != NULL;
    return whole ? TAKE(flow) : NULL;
}

const struct tc_problem *tc_flow_problem(const struct tc_flow *flow)
{
    return flow->problem;
}

const char *tc_flow_failed_step(const struct tc_flow *flow)
{
    return flow_steps[flow->step].name;
}

struct tc_flow_times tc_flow_times(const struct tc_flow *flow)
{
    return flow->times;
}

struct bytes tc_flow_chain(const struct tc_flow *flow)
{
    return flow->chain;
}
