#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

enum { CHUNK_BYTES = 8192, BRIEF_BYTES = 256 };

struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct chunk *chunks; /* newest first; the last is the first ever made */
    size_t max;
    size_t total;
    size_t chunk_bytes;
};

struct arena *arena_create_in_chunks(size_t max_bytes, size_t chunk_bytes)
{
    struct arena *arena = memory_take(sizeof *arena);
    if (arena != NULL)
        *arena = (struct arena) { .max = max_bytes, .chunk_bytes = chunk_bytes };
    return arena;
}

struct arena *arena_create(size_t max_bytes)
{
    return arena_create_in_chunks(max_bytes, CHUNK_BYTES);
}

void arena_reset(struct arena *arena)
{
    struct chunk *chunk = arena->chunks;
    while (chunk != NULL && chunk->next != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena->chunks = chunk;
    arena->total = chunk != NULL ? chunk->size : 0;
    if (chunk != NULL)
        chunk->used = 0;
}

void arena_drop(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    free(arena->chunks);
    free(arena);
}

static struct chunk *arena_grow(struct arena *arena, size_t len)
{
    size_t size = len > arena->chunk_bytes ? len : arena->chunk_bytes;
    if (size > arena->max - arena->total)
        size = len;
    if (size > arena->max - arena->total)
        return NULL;
    struct chunk *chunk = memory_take(sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct chunk) { .next = arena->chunks, .size = size };
    arena->chunks = chunk;
    arena->total += size;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    size_t align = alignof(max_align_t);
    if (len > arena->max)
        return NULL;
    len = (len + align - 1) / align * align;
    struct chunk *chunk = arena->chunks;
    if (chunk == NULL || len > chunk->size - chunk->used)
        chunk = arena_grow(arena, len);
    if (chunk == NULL)
        return NULL;
    void *out = chunk->data + chunk->used;
    chunk->used += len;
    return memset(out, 0, len);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

char *arena_text_of(struct arena *arena, struct bytes bytes)
{
    char *out = arena_alloc(arena, bytes.len + 1);
    if (out != NULL && bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
    return out;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_text_of(arena, bytes_text(text));
}

/* Most texts are short, and are written once. */
char *arena_printf(struct arena *arena, const char *format, ...)
{
    char brief[BRIEF_BYTES];
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(brief, sizeof brief, format, args);
    char *out = len >= 0 ? arena_alloc(arena, (size_t)len + 1) : NULL;
    if (out != NULL && (size_t)len < sizeof brief)
        memcpy(out, brief, (size_t)len);
    else if (out != NULL)
        vsnprintf(out, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return out;
}
