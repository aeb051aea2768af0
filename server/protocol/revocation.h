/* Revoking a certificate (RFC 8555 §7.6). */
#pragma once

#include "server/web/request.h"

/* POST revoke-cert, signed by the issuing account, by an account that proved all names, or by the certificate's key. */
bool revocation_post(struct request *rq);
