/* The certificate chain a server gave (RFC 8555 §9.1): the leaf first, then its issuers. */
#pragma once

#include "base/crypto.h"

#include "test-client/exchange.h"

struct tc_chain {
    X509 *leaf;                     /* owned */
    struct bytes leaf_pem, issuers; /* parts of the PEM that was read; no issuers: len 0 */
    size_t issuer_count;
};

enum { TC_CHAIN_MAX = 16 };

/* Reads every certificate of the chain; the PEM outlives it. False with `why` when one of them is none. */
MUST_USE bool tc_chain_read(struct bytes pem, struct tc_chain *out, char why[static TC_WHY_SIZE]);
void tc_chain_clear(struct tc_chain *chain);
/* "serial 03…, valid until 2026-11-24T12:58:18Z, from CN=…" */
void tc_chain_describe(const struct tc_chain *chain, struct buf *out);
