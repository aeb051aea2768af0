/* Whom a bucket is for, as text: the one place where subjects are made, from requests and from what operators write.
 * Texts live in the arena; NULL when memory is out. */
#pragma once

#include "server/limits/limit_table.h"
#include "storage/records.h"

/* Who asks: an IPv4 address itself, of an IPv6 address the network of `bits`, since a client has a whole one. An IPv4
 * address in IPv6 form is the IPv4 address; what is no address stands for itself. */
MUST_USE const char *limit_caller(struct arena *arena, const char *peer, unsigned bits);
enum { CALLER_BITS = 64, CALLER_NETWORK_BITS = 48 };
bool limit_caller_is_v6(const char *caller);
bool limit_caller_is_loopback(const char *peer); /* or the admin commands' socket */

/* The registered domain that a name counts for (public suffix list), which of a public suffix is itself; for an address
 * itself, or its /64. */
MUST_USE const char *limit_domain(struct arena *arena, const struct acme_identifier *identifier);
MUST_USE const char *limit_account_name(struct arena *arena, const char *account,
                                        const struct acme_identifier *identifier);
MUST_USE const char *limit_account_domain(struct arena *arena, const char *account,
                                          const struct acme_identifier *identifier);
/* The names for people, cut where there are many. */
MUST_USE const char *limit_set_shown(struct arena *arena, const struct identifiers *set);

/* An operator's list of names and addresses, "a.example,192.0.2.1". False: `why` completes "…is no name: ". */
MUST_USE bool limit_names_read(struct arena *arena, const char *text, struct identifiers *out,
                               char why[static IDENTIFIER_WHY_SIZE]);
/* The subject as it stands on buckets of this limit. False: `why` is a sentence. */
enum { LIMIT_WHY_SIZE = 300 };
MUST_USE bool limit_subject_read(struct arena *arena, enum limit limit, const char *text, const char **out,
                                 char why[static LIMIT_WHY_SIZE]);
