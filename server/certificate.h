/* Downloading certificates (RFC 8555 §7.4.2). */
#pragma once

#include "server/request.h"

bool certificate_get(
    struct request *rq); /* POST-as-GET certificate: leaf and intermediates as PEM, or the leaf as DER */
