/* Whether memory was out. A library says of a call that failed what it wanted to, and why only now and then: a key
 * "that is not on its curve" may be one for which there was no room, and a parser of ours may refuse what its arena
 * could not take. So the allocations of arenas, buffers, OpenSSL and jansson are noted when they fail, by thread. */
#pragma once

#include "base/macros.h"

MUST_USE void *memory_take(size_t size); /* NULL for none; free() gives back */
MUST_USE void *memory_resize(void *old, size_t size);

/* On this thread, since it was asked last. */
bool memory_was_out(void);
