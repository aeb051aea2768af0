/* How many validations run at once: in all, for one account, and for one name. The rest wait, each account in a line of
 * its own, and the lines take turns, so that nobody's crowd keeps another waiting. Accounts and names are told apart by
 * a keyed hash: two that meet in one line share its limit, but nobody can bring that about. Thread-safe. */
#pragma once

#include "base/world.h"
#include "validators/validators.h"

struct val_gate;

/* 0 stands for no limit. The key is the world's random. */
MUST_USE bool val_gate_make(const struct world *world, unsigned in_all, unsigned per_account, unsigned per_name,
                            struct val_gate **out);
void val_gate_drop(struct val_gate *gate); /* forgets who waits */
DEFINE_DROP(val_gate, val_gate_drop)

/* Both return those that may start now, linked by queued_next, or NULL. */
MUST_USE struct validation *val_gate_enter(struct val_gate *gate, struct validation *validation);
MUST_USE struct validation *val_gate_leave(struct val_gate *gate, const struct validation *validation);
