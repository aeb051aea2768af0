/* How DNS is asked, from the options: by whose servers, over what, and with which trust. Made once; immutable, so
 * threads share it. */
#pragma once

#include "validators/relay.h"
#include "validators/validators.h"

enum { VAL_DNS_ASKED_SIZE = 64 + VAL_RELAY_NAME_SIZE, VAL_DNS_CONFIGURATION_BYTES = 2048 };
#define VAL_DNS_ROOT_ANCHOR "/usr/share/dns/root.key" /* as the package dns-root-data ships it */

struct val_dns_plan {
    char asked[VAL_DNS_ASKED_SIZE]; /* whom, for details */
    char configuration[VAL_DNS_CONFIGURATION_BYTES];
    bool resolv_conf; /* forward to what it names */
    bool forward;     /* to one server, the target */
    bool tls;         /* to a relay, and the relay to it */
    struct val_relay_target target;
    const char *trust_anchor; /* a file; NULL: no answer is held against one */
};
/* The options must outlive the plan. */
MUST_USE bool val_dns_plan_make(const struct validators_options *options, struct val_dns_plan *out,
                                char why[static VALIDATORS_WHY_SIZE]);
