/* Which addresses validations stay away from: those of the IANA special-purpose registries, multicast, and this
 * machine's own, unless options.allow_addresses names them. Immutable once built, so threads share it. */
#pragma once

#include "validators/address.h"
#include "validators/validators.h"

/* word for allow_addresses, phrase for details */
#define VAL_RESERVED_TABLE(X)                                                                                          \
    X(GLOBAL, NULL, "")                                                                                                \
    X(LOOPBACK, "loopback", "a loopback address")                                                                      \
    X(PRIVATE, "private", "an address of private networks")                                                            \
    X(SELF, "self", "an address of the validating server itself")                                                      \
    X(LINK_LOCAL, "link-local", "a link-local address")                                                                \
    X(METADATA, "metadata", "an address of cloud metadata")                                                            \
    X(MULTICAST, "multicast", "a multicast address")                                                                   \
    X(SHARED, "shared", "an address of carriers' networks")                                                            \
    X(DOCUMENTATION, "documentation", "an address for documentation")                                                  \
    X(BENCHMARK, "benchmark", "an address for benchmarks")                                                             \
    X(UNSPECIFIED, "unspecified", "an unspecified address")                                                            \
    X(MAPPED, "mapped", "an IPv4 address inside an IPv6 address")                                                      \
    X(TUNNEL, "tunnel", "an address of a transition tunnel")                                                           \
    X(PROTOCOL, "protocol", "an address reserved for protocols")

enum val_reserved {
#define X(name, word, phrase) VAL_RESERVED_##name,
    VAL_RESERVED_TABLE(X)
#undef X
        VAL_RESERVED_KINDS
};
const char *val_reserved_word(enum val_reserved kind);
const char *val_reserved_phrase(enum val_reserved kind);

struct val_reserve;
/* `allowed` are words of the table, addresses, and networks as ADDRESS/BITS. */
MUST_USE bool val_reserve_make(const char *const *allowed, size_t count, struct val_reserve **out,
                               char why[static VALIDATORS_WHY_SIZE]);
void val_reserve_drop(struct val_reserve *reserve);
DEFINE_DROP(val_reserve, val_reserve_drop)

/* GLOBAL when the address may be connected to, else what it is. An IPv4 address that is wrapped into an IPv6 one
 * (mapped, NAT64, 6to4) counts too. A network that is allowed by its number wins over everything. */
enum val_reserved val_reserve_judge(const struct val_reserve *reserve, const struct val_address *address);
