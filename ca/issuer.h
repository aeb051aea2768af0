/* Reading a certificate and its key from PEM and judging whether they may sign. */
#pragma once

#include "ca/cert.h"

struct issuer_texts {
    const char *cert_name, *key_name; /* file names, for `why` */
    struct bytes cert, key;
};

/* Parses both and checks that they belong together. */
MUST_USE bool issuer_pair(const struct issuer_texts *texts, struct issuer *out, char why[static CA_WHY_SIZE]);
/* The same for one that signs: a CA certificate with a key identifier, which has not expired at `now_ms`. */
MUST_USE bool issuer_read(const struct issuer_texts *texts, int64_t now_ms, struct issuer *out,
                          char why[static CA_WHY_SIZE]);
