/* CAA (RFC 8659) on top of an attempt: asks the name and every parent at once, takes the nearest set that is not empty,
 * and holds it against the wish. An error nearer than that set is fatal: the set may hide behind it. */
#pragma once

#include "validators/attempt.h"

/* What remains once the challenge is met; a turn for val_attempt_ok to return. Names that dns.hosts answers stand
 * outside DNS, and IP identifiers have no CAA: nothing is asked for them. */
enum val_turn val_caa_check(struct val_attempt *attempt);
void val_caa_drop(struct val_attempt *attempt);
