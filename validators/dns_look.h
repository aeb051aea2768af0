/* A second look at a question that failed: libunbound keeps its forwarder's extended errors to itself, so the forwarder
 * is asked once more, over UDP, to hear the reason alone. On the loop's thread. */
#pragma once

#include "validators/deadlines.h"
#include "validators/ede.h"
#include "validators/relay.h"

struct val_looks { /* of one loop */
    struct val_deadlines waiting;
    struct val_relay_target server;
    int files_below; /* see outgoing.h */
};
void val_looks_open(struct val_looks *looks, uv_loop_t *loop, const struct val_relay_target *server, int files_below);
void val_looks_close(struct val_looks *looks); /* all looks must have ended before */

struct val_look;
/* `done` comes from the loop, once, with the words, or with "" when a second passed or there are none. NULL when it
 * cannot be asked; then done is never called. */
MUST_USE struct val_look *val_look_start(struct val_looks *looks, const char *name, int type,
                                         void (*done)(void *arg, const char *words), void *arg);
void val_look_cancel(struct val_look *look); /* done will not be called; NULL does nothing */
