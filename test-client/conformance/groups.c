/* All groups, in the order in which they run. */
#include "test-client/conformance/inside.h"

#define CF_GROUP_TABLE(X)                                                                                              \
    X(directory)                                                                                                       \
    X(https)                                                                                                           \
    X(foreign)                                                                                                         \
    X(jws)                                                                                                             \
    X(url)                                                                                                             \
    X(nonce)                                                                                                           \
    X(error)                                                                                                           \
    X(key)                                                                                                             \
    X(account)                                                                                                         \
    X(eab)                                                                                                             \
    X(key_change)                                                                                                      \
    X(order)                                                                                                           \
    X(list)                                                                                                            \
    X(finalize)                                                                                                        \
    X(authorization)                                                                                                   \
    X(challenge)                                                                                                       \
    X(certificate)                                                                                                     \
    X(revoke)                                                                                                          \
    X(alpn)                                                                                                            \
    X(ip)                                                                                                              \
    X(ari)                                                                                                             \
    X(subdomain)                                                                                                       \
    X(profile)                                                                                                         \
    X(dns_account)                                                                                                     \
    X(dns_persist)
#define X(name) extern const struct cf_group cf_group_##name;
CF_GROUP_TABLE(X)
#undef X

const struct cf_group *const cf_groups[] = {
#define X(name) &cf_group_##name,
    CF_GROUP_TABLE(X)
#undef X
        NULL,
};
