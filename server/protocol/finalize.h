/* Finalizing an order (RFC 8555 §7.4): the CSR is checked here; then the certificate is issued at once, with the valid
 * order as the answer, or (finalize.mode async) while the client polls an order in processing. */
#pragma once

#include "server/web/request.h"

bool order_finalize(struct request *rq); /* POST finalize */
