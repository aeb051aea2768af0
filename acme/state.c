#include "acme/state.h"

#define MAY(state) (1U << (state))

/* RFC 8555 §7.1.6, and what an account revokes or deactivates there. A suspended account is the operator's to resume;
 * no client ever sees that state. */
#define AFTER_ACCOUNT_VALID       (MAY(ACCOUNT_DEACTIVATED) | MAY(ACCOUNT_REVOKED) | MAY(ACCOUNT_SUSPENDED))
#define AFTER_ACCOUNT_DEACTIVATED 0
#define AFTER_ACCOUNT_REVOKED     0
#define AFTER_ACCOUNT_SUSPENDED   (MAY(ACCOUNT_VALID) | MAY(ACCOUNT_REVOKED))

/*  pending ──all authorizations valid──▶ ready ──finalize──▶ processing ──issued──▶ valid
 *     └──────────────────────┬─────────────┴──────────────────────┘
 *                            ▼ an error, an authorization that fails, or time
 *                         invalid
 * A finalize that answers "valid" at once still passes through processing, within one transaction. */
#define AFTER_ORDER_PENDING    (MAY(ORDER_READY) | MAY(ORDER_INVALID))
#define AFTER_ORDER_READY      (MAY(ORDER_PROCESSING) | MAY(ORDER_INVALID))
#define AFTER_ORDER_PROCESSING (MAY(ORDER_VALID) | MAY(ORDER_INVALID))
#define AFTER_ORDER_VALID      0
#define AFTER_ORDER_INVALID    0

/*  pending ──a challenge succeeds──▶ valid ──▶ expired, deactivated, revoked
 *     ├──a challenge fails──▶ invalid
 *     └──▶ expired (its time passes unproven), deactivated (RFC 8555 §7.5.2 names no state that forbids it) */
#define AFTER_AUTHORIZATION_PENDING                                                                                    \
    (MAY(AUTHORIZATION_VALID) | MAY(AUTHORIZATION_INVALID) | MAY(AUTHORIZATION_EXPIRED) |                              \
     MAY(AUTHORIZATION_DEACTIVATED))
#define AFTER_AUTHORIZATION_VALID                                                                                      \
    (MAY(AUTHORIZATION_EXPIRED) | MAY(AUTHORIZATION_DEACTIVATED) | MAY(AUTHORIZATION_REVOKED))
#define AFTER_AUTHORIZATION_INVALID     0
#define AFTER_AUTHORIZATION_DEACTIVATED 0
#define AFTER_AUTHORIZATION_EXPIRED     0
#define AFTER_AUTHORIZATION_REVOKED     0

/*  pending ──the client responds──▶ processing ──▶ valid, invalid
 * A retry leaves the challenge in processing (RFC 8555 §8.2) and is no move. */
#define AFTER_CHALLENGE_PENDING    MAY(CHALLENGE_PROCESSING)
#define AFTER_CHALLENGE_PROCESSING (MAY(CHALLENGE_VALID) | MAY(CHALLENGE_INVALID))
#define AFTER_CHALLENGE_VALID      0
#define AFTER_CHALLENGE_INVALID    0

#define AFTER_CERTIFICATE_VALID    MAY(CERTIFICATE_REVOKED)
#define AFTER_CERTIFICATE_REVOKED  0

#define ROW(kind, name, text)      [kind##_##name] = { text, AFTER_##kind##_##name },
static const struct state_row account_rows[] = { ACCOUNT_STATE_TABLE(ROW) };
static const struct state_row order_rows[] = { ORDER_STATE_TABLE(ROW) };
static const struct state_row authorization_rows[] = { AUTHORIZATION_STATE_TABLE(ROW) };
static const struct state_row challenge_rows[] = { CHALLENGE_STATE_TABLE(ROW) };
static const struct state_row certificate_rows[] = { CERTIFICATE_STATE_TABLE(ROW) };

const struct state_machine account_states = { "account", ACCOUNT_STATES, account_rows };
const struct state_machine order_states = { "order", ORDER_STATES, order_rows };
const struct state_machine authorization_states = { "authorization", AUTHORIZATION_STATES, authorization_rows };
const struct state_machine challenge_states = { "challenge", CHALLENGE_STATES, challenge_rows };
const struct state_machine certificate_states = { "certificate", CERTIFICATE_STATES, certificate_rows };

bool state_may(const struct state_machine *machine, unsigned from, unsigned to)
{
    CHECK(from < machine->count && to < machine->count);
    return (machine->rows[from].may & MAY(to)) != 0;
}

const char *state_text(const struct state_machine *machine, unsigned state)
{
    CHECK(state < machine->count);
    return machine->rows[state].text;
}

bool state_from_text(const struct state_machine *machine, const char *text, unsigned *out)
{
    for (unsigned state = 0; state < machine->count; state++) {
        if (strcmp(machine->rows[state].text, text) == 0) {
            *out = state;
            return true;
        }
    }
    return false;
}
