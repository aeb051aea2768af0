/* From a host to the addresses to connect to: an IP address stands for itself, dns.hosts comes next, then DNS (AAAA and
 * A at once). Reserved addresses are left out. The first IPv6 address is tried first, then the first IPv4 address. Who
 * connects uses the address found here and asks no second time, so that DNS cannot change it in between. */
#pragma once

#include "validators/attempt.h"
#include "validators/dns.h"
#include "validators/reserved.h"

struct val_location {
    struct val_address v6, v4;  /* family AF_UNSPEC when there is none */
    struct val_address refused; /* the first that is reserved */
    enum val_reserved reserved; /* what it is */
    struct val_question aaaa, a;
    struct val_attempt *attempt;
    const char *host; /* lives as long as the location is in use */
    bool asked;
};

/* Goes on with `step`, at once or when both answers are in; there val_located must be called. */
enum val_turn val_locate(struct val_attempt *attempt, struct val_location *location, const char *host, val_step *step);
/* False when no address was found; then the validation's problem is filled in: the step returns VAL_DONE. */
MUST_USE bool val_located(struct val_attempt *attempt, struct val_location *location);
/* The address to try first, or after it failed the other family's. False when there is none left. */
MUST_USE bool val_location_take(struct val_location *location, struct val_address *out);
void val_location_clear(struct val_location *location);

/* The trace's step for an answered question. */
void val_trace_question(struct val_attempt *attempt, const struct val_question *question);
