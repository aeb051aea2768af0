/* CAA once more for the names of an order, before its certificate is signed: where the proof lies longer back than
 * caa.recheck-after, and where CAA has not been asked for that very name yet (one below a domain that was proved). The
 * questions wait at the validators' gate like every validation. */
#pragma once

#include "server/caraway.h"

struct rechecks; /* all that are under way */
struct recheck;  /* of one order */

MUST_USE struct rechecks *rechecks_create(void);
/* Those under way, and those that are started from then on, end at once and without a verdict: before the end of those
 * who wait. */
void rechecks_close(struct rechecks *rechecks);
/* After the validators: frees what never came back. Nobody may hold one any more. */
void rechecks_drop(struct rechecks *rechecks);
DEFINE_DROP(rechecks, rechecks_drop)

/* What is to be asked for the order; NULL: nothing. False: it has lost a proof (unauthorized), or reading failed. */
MUST_USE bool recheck_make(struct caraway *caraway, struct store_txn *txn, const struct order *order,
                           struct recheck **out, struct acme_problem *problem);
/* `done` is called once, on any thread, and must not block; it may drop the recheck. */
void recheck_start(struct recheck *recheck, void (*done)(void *arg), void *arg);
/* Once done: the server is stopping, and nothing is known. */
bool recheck_was_cut(const struct recheck *recheck);
/* Once done: whether all names may be issued for, by caa.mode. What CAA said is logged. Refused are they with caa, or
 * dns where no answer came; several come as subproblems, with texts in the arena. */
MUST_USE bool recheck_verdict(const struct recheck *recheck, struct arena *arena, struct acme_problem *problem);
/* Also one that is under way: done is not called then. Takes NULL. */
void recheck_drop(struct recheck *recheck);
DEFINE_DROP(recheck, recheck_drop)
