/* The rate limits, one row each: identifier, number on disk (append-only), name, whose bucket it is, then the rate in
 * the presets letsencrypt, letsencrypt-staging and private, the anchor in the help page, and what there are too many
 * of. The sentence takes the count and the subject. */
#pragma once

/* clang-format off */
#define LIMIT_TABLE(X) \
    X(ACCOUNTS_PER_ADDRESS, 1, "new-accounts-per-address", ADDRESS, "10/3h", "50/3h", "100/1h", \
      "new-registrations-per-ip-address", "new registrations (%lld) from this IP address, %s,") \
    X(ACCOUNTS_PER_NETWORK, 2, "new-accounts-per-network", NETWORK, "500/3h", "500/3h", "1000/1h", \
      "new-registrations-per-ipv6-range", "new registrations (%lld) from this /48 of IPv6 addresses, %s,") \
    X(ORDERS_PER_ACCOUNT, 3, "new-orders-per-account", ACCOUNT, "300/3h", "1500/3h", "1000/1h", \
      "new-orders-per-account", "new orders (%lld) from this account, %s,") \
    X(FAILURES_PER_NAME, 4, "failed-authorizations-per-name", ACCOUNT_NAME, "5/1h", "200/1h", "20/1h", \
      "authorization-failures-per-identifier-per-account", "failed authorizations (%lld) for \"%s\"") \
    X(CERTIFICATES_PER_DOMAIN, 5, "certificates-per-domain", DOMAIN, "50/7d", "30000/1s", "10000/7d", \
      "new-certificates-per-registered-domain", "certificates (%lld) already issued for \"%s\"") \
    X(CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, 6, "certificates-per-domain-and-account", ACCOUNT_DOMAIN, "off", "off", "off", \
      "new-certificates-per-registered-domain", "certificates (%lld) already issued to this account for \"%s\"") \
    X(CERTIFICATES_PER_SET, 7, "certificates-per-exact-set", SET, "5/7d", "30000/7d", "50/7d", \
      "new-certificates-per-exact-set-of-identifiers", \
      "certificates (%lld) already issued for this exact set of identifiers (%s)") \
    X(FAILURES_BEFORE_PAUSE, 8, "failed-authorizations-before-pause", ACCOUNT_NAME, "1152/1152d", "3600/6h", "off", \
      "authorization-failures-per-identifier-per-account", "failed authorizations (%lld) for \"%s\"")
/* clang-format on */

/* What a bucket is for, and how its subject is written. */
enum limit_whose {
    LIMIT_OF_ADDRESS,        /* 192.0.2.1, 2001:db8:1:2::/64 */
    LIMIT_OF_NETWORK,        /* 2001:db8:1::/48 */
    LIMIT_OF_ACCOUNT,        /* its id */
    LIMIT_OF_ACCOUNT_NAME,   /* id "/" name */
    LIMIT_OF_DOMAIN,         /* a registered domain, an IPv4 address or an IPv6 /64 */
    LIMIT_OF_ACCOUNT_DOMAIN, /* id "/" domain */
    LIMIT_OF_SET,            /* hash of the names */
};

enum limit {
#define X(id, number, name, ...) LIMIT_##id,
    LIMIT_TABLE(X)
#undef X
        LIMITS
};

/* Whose rates hold for what counts by account: the server's, or those that an external account key gives its accounts.
 * What accounts share (domains, sets) counts by the server's; OFF is exempt from that, too. */
#define LIMIT_CLASS_TABLE(X)                                                                                           \
    X(SERVER, "")                                                                                                      \
    X(LETSENCRYPT, "letsencrypt")                                                                                      \
    X(LETSENCRYPT_STAGING, "letsencrypt-staging")                                                                      \
    X(PRIVATE, "private")                                                                                              \
    X(OFF, "off")

enum limit_class {
#define X(id, name) LIMIT_CLASS_##id,
    LIMIT_CLASS_TABLE(X)
#undef X
        LIMIT_CLASSES
};
