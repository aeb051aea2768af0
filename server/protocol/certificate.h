/* Downloading certificates (RFC 8555 §7.4.2). */
#pragma once

#include "server/web/request.h"

bool issuer_get(struct request *rq); /* GET issuer/N: the certificate that signs leaves in chain N, as DER */
bool certificate_get(
    struct request *rq); /* POST-as-GET certificate: leaf and intermediates as PEM, or the leaf as DER */
