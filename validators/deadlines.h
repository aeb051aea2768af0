/* Many equal timeouts on one uv timer: what is started first is due first, so a list in order of arrival suffices. */
#pragma once

#include "base/bytes.h"
#include "base/list.h"

#include <uv.h>

struct val_deadline { /* stands inside what waits; zeroed at first */
    struct list link;
    uint64_t at_ms; /* of uv_now */
};

struct val_deadlines {
    uv_timer_t timer;
    struct list waiting;
    uint64_t after_ms;
    void (*passed)(struct val_deadline *deadline); /* already off the list */
};

void val_deadlines_init(struct val_deadlines *list, uv_loop_t *loop, int64_t after_ms,
                        void (*passed)(struct val_deadline *deadline));
void val_deadlines_close(struct val_deadlines *list);

void val_deadline_add(struct val_deadlines *list, struct val_deadline *deadline);
void val_deadline_remove(struct val_deadline *deadline);              /* nothing when it is on no list */
struct val_deadline *val_deadlines_first(struct val_deadlines *list); /* NULL when empty */
