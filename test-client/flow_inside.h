/* A flow seen from inside: shared by the loop (flow.c) and the steps (flow_steps.c), and by nobody else. */
#pragma once

#include "test-client/flow.h"

/* name, text, proof, url, payload, take, recover; the functions stand in flow_steps.c */
#define TC_STEP_TABLE(X)                                                                                               \
    X(DIRECTORY, "directory", PROOF_GET, directory_url, NULL, directory_take, NULL)                                    \
    X(NONCE, "nonce", PROOF_HEAD, nonce_url, NULL, nonce_take, NULL)                                                   \
    X(ACCOUNT, "account", PROOF_JWK, account_url, account_payload, account_take, NULL)                                 \
    X(ORDER, "order", PROOF_KID, new_order_url, order_payload, order_take, NULL)                                       \
    X(AUTHORIZATION, "authorization", PROOF_KID, authorization_url, NULL, authorization_take, NULL)                    \
    X(CHALLENGE, "challenge", PROOF_KID, challenge_url, challenge_payload, challenge_take, NULL)                       \
    X(VALIDATION, "validation", PROOF_KID, authorization_url, NULL, validation_take, NULL)                             \
    X(FINALIZE, "finalize", PROOF_KID, finalize_url, finalize_payload, finalize_take, finalize_recover)                \
    X(ISSUANCE, "issuance", PROOF_KID, order_url, NULL, issuance_take, NULL)                                           \
    X(CERTIFICATE, "certificate", PROOF_KID, certificate_url, NULL, certificate_take, NULL)

enum flow_step {
#define X(name, ...) STEP_##name,
    TC_STEP_TABLE(X)
#undef X
        FLOW_STEPS
};

/* What a step makes of its answer. */
enum flow_verdict {
    FLOW_NEXT, /* flow->step names the step that follows */
    FLOW_WAIT, /* the same, after a while */
    FLOW_DONE,
    FLOW_FAIL, /* flow->problem says why */
};

enum flow_proof { PROOF_GET, PROOF_HEAD, PROOF_JWK, PROOF_KID };

struct flow_step_row {
    const char *name;
    enum flow_proof proof;
    const char *(*url)(const struct tc_flow *flow);
    bool (*payload)(struct tc_flow *flow); /* into flow->payload; NULL: POST-as-GET. False when memory is out */
    enum flow_verdict (*take)(struct tc_flow *flow, const struct tc_answer *answer);
    /* what may still be made of a refusal; NULL: it ends the flow */
    bool (*recover)(struct tc_flow *flow, const struct tc_problem *problem);
};
extern const struct flow_step_row flow_steps[FLOW_STEPS];

struct flow_authorization {
    struct tc_challenge challenge;
    const char *name;
    struct tc_proof proof;
    bool valid;
    bool answerable; /* the responder knows the proof */
};

struct tc_flow {
    const struct tc_flow_setup *setup;
    struct tc_flow_events events;
    struct jwk *account_key;
    struct tc_exchange *exchange;
    struct tc_fetch fetch;
    uv_timer_t timer;
    struct arena *lasting; /* directory and account */
    struct arena *arena;   /* the rest, forgotten at each start */
    struct buf payload, csr, jws;

    enum flow_step step;
    enum flow_step resume; /* behind STEP_NONCE */
    enum flow_step alone;  /* the one step that is wanted; FLOW_STEPS: all that are needed */
    unsigned polls;        /* of this step */
    unsigned bad_nonces;   /* of this step */
    uint64_t deadline_ms;  /* on the loop's clock */
    uint64_t paused_ns;    /* since when */
    struct tc_flow_times times;
    const struct tc_problem *problem;

    struct tc_directory directory;
    const char *kid;
    char nonce[TC_NONCE_MAX + 1]; /* "" when there is none */

    struct tc_flow_order wanted; /* no identifiers: only an account is wanted */
    const char *order_url;
    struct tc_order order;
    struct flow_authorization *authorizations; /* as many as the order's */
    size_t current;                            /* authorization */
    bool finalized;
    struct bytes chain;
};

/* For steps: set the problem, always FLOW_FAIL. */
enum flow_verdict flow_fail(struct tc_flow *flow, const char *type, const char *detail);
/* Takes the challenges' answers away again. */
void flow_forget_challenges(struct tc_flow *flow);
