/* Finalizing an order (RFC 8555 §7.4) and downloading the certificate (§7.4.2). */
#pragma once

#include "server/request.h"

bool order_finalize(struct request *rq);  /* POST finalize: checked here, signed by the CA, stored and valid at once */
bool certificate_get(struct request *rq); /* POST-as-GET certificate: leaf and intermediates as PEM */
