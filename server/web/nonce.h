/* Anti-replay nonces (RFC 8555 §6.5): an encrypted counter under a key made at start, and a bitmap of the last ones
 * that says which were used. No write, no growth; a restart makes every nonce invalid. Thread-safe. */
#pragma once

#include "base/world.h"

struct nonces;

/* 16 bytes as base64url: 22 characters and NUL. */
enum { NONCE_SIZE = 23, NONCE_WINDOW = 1 << 20 };

MUST_USE struct nonces *nonces_create(const struct world *world);
void nonces_drop(struct nonces *nonces);
DEFINE_DROP(nonces, nonces_drop)

void nonce_make(struct nonces *nonces, char out[static NONCE_SIZE]);
/* True once for each nonce made among the last NONCE_WINDOW ones. */
MUST_USE bool nonce_redeem(struct nonces *nonces, const char *text);
