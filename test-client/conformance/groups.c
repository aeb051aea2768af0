/* All groups, in the order in which they run. */
#include "test-client/conformance/inside.h"

#define CF_GROUP_TABLE(X)                                                                                              \
    X(jws)                                                                                                             \
    X(nonce)

#define X(name) extern const struct cf_group cf_##name;
CF_GROUP_TABLE(X)
#undef X

const struct cf_group *const cf_groups[] = {
#define X(name) &cf_##name,
    CF_GROUP_TABLE(X)
#undef X
        NULL,
};
