/* A new order on trial: whether it would be taken now, and what would refuse it. Nothing is stored or spent. */
#pragma once

#include "server/web/request.h"

/* {"account": ID, "identifiers": […], …}: new-order's payload (RFC 8555 §7.4) with the account that would sign it. */
bool dry_run_post(struct request *rq);
