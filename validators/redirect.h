/* Where an http-01 request goes: the first URL, and the URLs that redirects name (RFC 8555 §8.3). */
#pragma once

#include "acme/identifier.h"

enum { VAL_TARGET_URL_BYTES = 2048, VAL_TARGET_WHY_SIZE = 160, VAL_TARGET_HOST_SIZE = IDENTIFIER_MAX_BYTES + 1 };

struct val_target { /* plain data */
    char url[VAL_TARGET_URL_BYTES];
    char host[VAL_TARGET_HOST_SIZE]; /* a name in lower case, or an IP address without brackets */
    uint16_t port;
};

void val_target_first(struct val_target *target, const struct acme_identifier *identifier, uint16_t port,
                      const char *token);
/* Moves the target to where `location` (hostile text) points, seen from the target. On refusal the target is as before
 * and `why` says what is wrong. */
MUST_USE bool val_target_follow(struct val_target *target, const char *location, uint16_t http_port, uint16_t tls_port,
                                char why[static VAL_TARGET_WHY_SIZE]);
