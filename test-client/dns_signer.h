/* Signatures over made-up DNS (RFC 4034, ECDSA P-256 of RFC 6605), made when they are asked for, with one key for all
 * zones. */
#pragma once

#include "test-client/dns_wire.h"

#include "base/world.h"

/* What can be wrong with a signature; name, text */
#define DNS_FLAW_TABLE(X)                                                                                              \
    X(NONE, "none")                                                                                                    \
    X(SIGNATURE, "signature")                                                                                          \
    X(EXPIRED, "expired")                                                                                              \
    X(MISSING, "missing")

enum dns_flaw {
#define X(name, text) DNS_FLAW_##name,
    DNS_FLAW_TABLE(X)
#undef X
        DNS_FLAWS
};

const char *dns_flaw_text(enum dns_flaw flaw);
MUST_USE bool dns_flaw_from_text(const char *text, enum dns_flaw *out);

/* Records of one name and type. */
enum { DNS_SET_MAX = 1024 };
struct dns_set {
    uint16_t type;
    uint32_t ttl;
    size_t count;
    struct bytes rdata[DNS_SET_MAX];
};

struct dns_signer;

/* Makes the key. NULL when memory is out. */
MUST_USE struct dns_signer *dns_signer_create(const struct world *world);
void dns_signer_drop(struct dns_signer *signer);
DEFINE_DROP(dns_signer, dns_signer_drop)

struct bytes dns_signer_dnskey(const struct dns_signer *signer); /* rdata */
/* The rdata of the DS record (SHA-256) of a zone; canonical, as all names here. */
void dns_signer_ds(const struct dns_signer *signer, const char *zone, struct buf *out);
/* The rdata of the RRSIG over a set; its records are put into the order of the signature. */
void dns_signer_sign(const struct dns_signer *signer, const char *zone, const char *owner, struct dns_set *set,
                     enum dns_flaw flaw, struct buf *out);
