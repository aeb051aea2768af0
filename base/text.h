/* Texts in tables and lists. */
#pragma once

#include "base/macros.h"

#include <string.h>

/* The place of a text among others; `count` when it is none of them. */
static inline size_t text_index(const char *const *texts, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && strcmp(texts[i], text) != 0)
        i++;
    return i;
}

static inline bool text_is_among(const char *const *texts, size_t count, const char *text)
{
    return text_index(texts, count, text) < count;
}
