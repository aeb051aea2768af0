/* Takes away what nobody needs any more: records whose time is over, kept for as long as retention.* says. It works in
 * small steps, each a job of its own, so that clients' jobs go between them. */
#pragma once

#include "server/caraway.h"

#include <stdatomic.h>

struct janitor;

enum { JANITOR_STEP = 100 }; /* most records that one job looks at */

/* Works once a minute, from now on. NULL: no memory or threads. */
MUST_USE struct janitor *janitor_start(struct caraway *caraway);
void janitor_stop(struct janitor *janitor); /* takes NULL; waits for the step under way */

struct janitor_walks; /* how far the walks through whole classes have come */
/* One round, for the janitor's thread and for tests; how many records it took away. `stop` ends it early. */
size_t janitor_sweep(struct caraway *caraway, struct janitor_walks *walks, const atomic_bool *stop);
MUST_USE struct janitor_walks *janitor_walks_create(void);
void janitor_walks_drop(struct janitor_walks *walks);
DEFINE_DROP(janitor_walks, janitor_walks_drop)
