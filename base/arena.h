/* Memory that dies together: what is derived during one request, one closure or one listing. Bump allocation in
 * chunks, freed as a whole, with a hard maximum. Not thread-safe. Every allocation may return NULL. */
#pragma once

#include "base/bytes.h"

struct arena;

MUST_USE struct arena *arena_create(size_t max_bytes);
/* The same in chunks of another size than 8 KiB: for little that lives long. */
MUST_USE struct arena *arena_create_in_chunks(size_t max_bytes, size_t chunk_bytes);
void arena_drop(struct arena *arena);
void arena_reset(struct arena *arena); /* forgets everything, keeps the first chunk for the next use */
DEFINE_DROP(arena, arena_drop)

MUST_USE void *arena_alloc(struct arena *arena, size_t len); /* zeroed, aligned for any type */
MUST_USE void *arena_array(struct arena *arena, size_t count, size_t size);
MUST_USE char *arena_text(struct arena *arena, const char *text);
MUST_USE char *arena_text_of(struct arena *arena, struct bytes bytes); /* copies and adds the NUL */
MUST_USE char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
