/* A database read through a map trusts its pages: one that was damaged on the disk can lead LMDB anywhere, and one that
 * the disk cannot give is a SIGBUS. A guard stands around each of its calls on this thread. A call that only reads is
 * given up; behind one that writes nothing can be trusted, and the process ends
 * with a line on standard error that says what to do. */
#pragma once

#include "base/bytes.h"

/* Where a store is opened. Faults outside of a guard stay what they were. */
void guard_install(void);

enum guard_kind { GUARD_READS, GUARD_WRITES };
/* What the call gives; `given_up` when it is given up, wherever it stood: what only its end would free stays behind. */
MUST_USE int guard_run(enum guard_kind kind, int (*call)(void *arg), void *arg, int given_up);

/* Within a guard: LMDB found by itself that its pages make no sense, and is about to abort. */
void guard_give_up(void);

/* Within a guard: reads what was found, which may reach beyond what there is. */
void guard_touch(struct bytes found);
