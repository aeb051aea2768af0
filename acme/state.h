/* The states of RFC 8555 §7.1.6 as row tables: text, and which states may follow. The movers in server/ are the only
 * writers of a record's state and CHECK these tables. */
#pragma once

#include "base/bytes.h"

/* kind: enumerators with their RFC text */
#define ACCOUNT_STATE_TABLE(X)                                                                                         \
    X(ACCOUNT, VALID, "valid")                                                                                         \
    X(ACCOUNT, DEACTIVATED, "deactivated")                                                                             \
    X(ACCOUNT, REVOKED, "revoked")                                                                                     \
    X(ACCOUNT, SUSPENDED, "suspended")
#define ORDER_STATE_TABLE(X)                                                                                           \
    X(ORDER, PENDING, "pending")                                                                                       \
    X(ORDER, READY, "ready")                                                                                           \
    X(ORDER, PROCESSING, "processing")                                                                                 \
    X(ORDER, VALID, "valid")                                                                                           \
    X(ORDER, INVALID, "invalid")
#define AUTHORIZATION_STATE_TABLE(X)                                                                                   \
    X(AUTHORIZATION, PENDING, "pending")                                                                               \
    X(AUTHORIZATION, VALID, "valid")                                                                                   \
    X(AUTHORIZATION, INVALID, "invalid")                                                                               \
    X(AUTHORIZATION, DEACTIVATED, "deactivated")                                                                       \
    X(AUTHORIZATION, EXPIRED, "expired")                                                                               \
    X(AUTHORIZATION, REVOKED, "revoked")
#define CHALLENGE_STATE_TABLE(X)                                                                                       \
    X(CHALLENGE, PENDING, "pending")                                                                                   \
    X(CHALLENGE, PROCESSING, "processing")                                                                             \
    X(CHALLENGE, VALID, "valid")                                                                                       \
    X(CHALLENGE, INVALID, "invalid")
#define CERTIFICATE_STATE_TABLE(X)                                                                                     \
    X(CERTIFICATE, VALID, "valid")                                                                                     \
    X(CERTIFICATE, REVOKED, "revoked")

#define STATE_ENUM_ROW_(kind, name, text) kind##_##name,
enum account_state { ACCOUNT_STATE_TABLE(STATE_ENUM_ROW_) ACCOUNT_STATES };
enum order_state { ORDER_STATE_TABLE(STATE_ENUM_ROW_) ORDER_STATES };
enum authorization_state { AUTHORIZATION_STATE_TABLE(STATE_ENUM_ROW_) AUTHORIZATION_STATES };
enum challenge_state { CHALLENGE_STATE_TABLE(STATE_ENUM_ROW_) CHALLENGE_STATES };
enum certificate_state { CERTIFICATE_STATE_TABLE(STATE_ENUM_ROW_) CERTIFICATE_STATES };

/* One machine: the texts of its states and a bit set of successors for each. States are small ints from 0. */
struct state_machine {
    const char *name; /* "order" */
    unsigned count;
    const struct state_row {
        const char *text;
        unsigned may; /* bit set of the states that may follow */
    } * rows;
};
extern const struct state_machine account_states, order_states, authorization_states, challenge_states,
    certificate_states;

bool state_may(const struct state_machine *machine, unsigned from, unsigned to);
const char *state_text(const struct state_machine *machine, unsigned state);
MUST_USE bool state_from_text(const struct state_machine *machine, const char *text, unsigned *out);
