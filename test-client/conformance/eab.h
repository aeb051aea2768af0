/* External account bindings (RFC 8555 §7.3.4), right ones and wrong ones. */
#pragma once

#include "test-client/conformance/check.h"

/* NULL or 0 stands for what is right. */
struct cf_eab {
    const char *alg, *kid, *url;
    const char *payload;    /* instead of the account's key */
    const char *secret_b64; /* instead of the kid's */
    const char *more;       /* further members of the protected header, with their comma */
    bool flip;              /* damages the MAC */
};

/* The binding as JSON for the session's account key, with one of the keys of the command line; NULL (the check is then
 * decided) when there is none. */
const char *cf_eab(struct cf *cf, struct tc_session *session, const struct cf_eab *eab);
