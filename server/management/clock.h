/* The world's clock over the admin interface: where it stands and, in a laboratory, where it shall stand. The offset
 * dies with the process, so that a forgotten one does not outlive a restart; what was stored meanwhile keeps its
 * times, and rate limits forget what only a later clock could have spent. */
#pragma once

#include "server/web/request.h"

bool clock_get(struct request *rq);
/* {"advance_ms": N}, {"set": "2026-11-24T12:58:18Z"} or {"reset": true}. Refused where the clock is the machine's. */
bool clock_post(struct request *rq);
