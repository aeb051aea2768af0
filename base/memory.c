#include "base/memory.h"

/* Whose allocator this is gives it nothing of ours, so what is noted is global: by thread. */
static _Thread_local bool was_out;

static void *note(void *got)
{
    was_out |= got == NULL;
    return got;
}

void *memory_take(size_t size)
{
    return size > 0 ? note(malloc(size)) : NULL;
}

void *memory_resize(void *old, size_t size)
{
    return note(realloc(old, size));
}

bool memory_was_out(void)
{
    bool answer = was_out;
    was_out = false;
    return answer;
}
