/* What the admin commands check, backup and export read, of a running server or of a data directory at rest. */
#pragma once

#include "server/web/request.h"
#include "server/management/stream.h"

#define UPKEEP_PATH "/api/upkeep/"

/* By its name in the path; NULL: there is none.
 *   check   lines {"progress":RECORDS}, {"fault":SENTENCE}, and at the end {"checked":{…}} or {"failed":SENTENCE}
 *   backup  the database, compacted
 *   export  what import reads */
stream_source *upkeep_source(const char *name);

bool upkeep_post(struct request *rq);
