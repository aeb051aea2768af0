/* Sockets towards targets. A new descriptor gets the least number that is free, so whoever keeps below a number leaves
 * those above it to the rest of the process, however many targets hang. */
#pragma once

#include "base/macros.h"

/* Non-blocking. -1 with errno: EMFILE also when only numbers from `files_below` on are left (0: all may be had). */
MUST_USE int val_outgoing_open(int family, int type, int protocol, int files_below);
/* Whether there is one for a validation that would begin now. */
bool val_outgoing_room(int files_below);
