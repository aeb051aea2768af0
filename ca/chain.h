/* A root and the certificate it gives the issuing key. Chain 0 is the default one and has the key made; further ones
 * cross-sign it: another root, the same key, subject and key identifier. */
#pragma once

#include "ca/cert.h"

struct chain {
    char *root_pem, *pem; /* malloc'ed; `pem` is what follows a leaf */
};
void chain_clear(struct chain *chain);

/* Loads chain `number` from the options' directory and checks it, or makes it when none of its files is there; without
 * a directory it is made in memory. For chain 0 `issuer` is filled in; for others it must be what chain 0 gave. */
MUST_USE bool chain_open(const struct ca_options *options, unsigned number, struct issuer *issuer, struct chain *out,
                         char why[static CA_WHY_SIZE]);
