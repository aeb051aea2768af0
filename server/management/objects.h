/* The records that the operator lists and shows, as JSON: /api/accounts?limit=50&after=…, /api/accounts/ID. */
#pragma once

#include "server/web/request.h"

/* A page, {"accounts":[…],"next":POSITION}: it ends at "limit" records (50), or earlier when they are long. What cannot
 * be read is named in "unreadable" and left out. */
bool objects_get(struct request *rq);
bool object_get(struct request *rq);

/* "limit" of the query, or the default. */
MUST_USE bool objects_limit(struct request *rq, size_t *out);
