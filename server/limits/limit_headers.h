/* What limits have left, as header fields that a program can read: RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers). A setting. */
#pragma once

#include "server/limits/limit.h"
#include "server/web/request.h"

/* In the job that asked these limits: the answer will say how they stand now, of each row the bucket with the least. */
void limit_note(struct store_txn *txn, struct request *rq, const struct limit_asks *asks);
/* When the answer is finished: adds the fields, where limits were noted. */
void limit_add_headers(struct request *rq);
