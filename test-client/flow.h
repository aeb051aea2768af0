/* How a certificate is had (RFC 8555 §7.1 read from the client's side), as an engine of small steps on an event loop:
 * directory → nonce → account, then per certificate order → authorizations → challenges → validation → finalize →
 * certificate. A flow is one account with one connection; it issues one certificate at a time. */
#pragma once

#include "test-client/csr_make.h"
#include "test-client/fetch.h"
#include "test-client/message.h"
#include "test-client/responder.h"

#include "base/world.h"

struct tc_flow;

/* What all flows of a loop share; outlives them. */
struct tc_flow_setup {
    uv_loop_t *loop;
    struct tc_fetcher *fetcher;
    struct tc_responder *responder;
    const struct world *world;
    struct tc_exchange_options exchange;
    const char *directory_url;
    const char *const *contacts;
    size_t contact_count;
    enum acme_challenge_type challenge;
    int64_t
        poll_ms; /* between two looks at an unfinished object, half of it before the first; 0: as Retry-After says */
    int64_t patience_ms; /* for one certificate, all waiting included */
};

struct tc_flow_events {
    void (*progress)(void *arg, const char *step, const char *text); /* or NULL */
    void (*done)(void *arg, struct tc_flow *flow);                   /* may start the next certificate */
    void *arg;
};

struct tc_flow_order {
    const struct acme_identifier *identifiers; /* names and key stay the caller's until done */
    size_t identifier_count;
    const struct tc_csr_key *key;
};

/* The account's key is referenced. NULL when memory is out. */
MUST_USE struct tc_flow *tc_flow_create(const struct tc_flow_setup *setup, EVP_PKEY *account_key,
                                        const struct tc_flow_events *events);
/* Stops what runs; `done` is not called. Run the loop once more behind it. */
void tc_flow_drop(struct tc_flow *flow);
DEFINE_DROP(tc_flow, tc_flow_drop)

/* Makes or finds the account, then calls done. */
void tc_flow_register(struct tc_flow *flow);
/* Gets a certificate, with tc_flow_register's steps first where they have not been done. */
void tc_flow_issue(struct tc_flow *flow, const struct tc_flow_order *order);

/* One step alone, behind a certificate that was had: its request is made from what that left behind and from `order`,
 * and any success ends it. The names are those of the steps in flow_inside.h. */
extern const char *const tc_flow_step_names[]; /* NULL-ended */
void tc_flow_repeat(struct tc_flow *flow, int step, const struct tc_flow_order *order);
/* Another key for what follows, as for a further new-account. False when memory is out. */
MUST_USE bool tc_flow_set_key(struct tc_flow *flow, EVP_PKEY *account_key);

/* In and after done: NULL on success, else what went wrong. Lives until the next start. */
const struct tc_problem *tc_flow_problem(const struct tc_flow *flow);
const char *tc_flow_failed_step(const struct tc_flow *flow);
/* Where the time since the latest start went beside the client's own work: waiting for answers, and pausing. */
struct tc_flow_times {
    uint64_t answered_us, paused_us;
};
struct tc_flow_times tc_flow_times(const struct tc_flow *flow);
/* In done only: the PEM chain. */
struct bytes tc_flow_chain(const struct tc_flow *flow);
