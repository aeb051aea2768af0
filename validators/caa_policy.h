/* What the CAA records of one name allow (RFC 8659 §4, RFC 8657): a pure function over the set that was found. */
#pragma once

#include "validators/caa_record.h"

struct val_caa_wish {           /* who would issue what to whom */
    const char *const *issuers; /* the names this authority goes by, any number */
    size_t issuer_count;
    bool wildcard;
    const char *account_url; /* NULL fits no accounturi */
    const char *method;      /* the challenge type that was met, "http-01" */
};

/* Otherwise `why` is a phrase that names a record and what is wrong with it: that which comes nearest to allowing it.
 * An empty set allows everything. */
enum { VAL_CAA_WHY_SIZE = 400 };
MUST_USE bool val_caa_allows(const struct bytes *records, size_t count, const struct val_caa_wish *wish,
                             char why[static VAL_CAA_WHY_SIZE]);
