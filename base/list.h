/* A doubly linked list whose links live in what it holds: a ring that goes through its head. Who shares one between
 * threads guards it. */
#pragma once

#include "base/macros.h"

struct list { /* a head, or the link of one that is held: zeroed while it is in no list */
    struct list *next, *previous;
};

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

/* NULL: the list is empty. */
static inline struct list *list_first(const struct list *list)
{
    return list->next != list ? list->next : NULL;
}

/* At its end. */
static inline void list_add(struct list *list, struct list *link)
{
    link->next = list;
    link->previous = list->previous;
    link->previous->next = list->previous = link;
}

static inline bool list_holds(const struct list *link)
{
    return link->next != NULL;
}

/* From the list it is in; nothing when it is in none. */
static inline void list_remove(struct list *link)
{
    if (!list_holds(link))
        return;
    link->previous->next = link->next;
    link->next->previous = link->previous;
    *link = (struct list) { NULL, NULL };
}

/* The body must not remove. */
#define LIST_EACH(head, link) for (struct list *link = (head)->next; link != (head); link = link->next)
