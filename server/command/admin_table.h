/* What the admin commands know: the objects, what may be asked of each, and how its answers are printed. */
#pragma once

#include "base/json.h"

enum { ADMIN_COLUMNS_MAX = 16 };

enum admin_verb {
    VERB_LIST = 1,
    VERB_SHOW = 2,
    VERB_ADD = 4,
    VERB_REMOVE = 8,
    VERB_CHANGE = 16,
    VERB_REVOKE = 32,
    VERB_SUSPEND = 64,
    VERB_RESUME = 128,
    VERB_RETRY = 256,
};

/* How a verb is said to the server. */
struct admin_verb_row {
    const char *word, *method;
    const char *step; /* stands behind the id in the path; or NULL */
    enum admin_verb verb;
    bool takes_id;
    bool takes_body;
    bool lists;
};
extern const struct admin_verb_row admin_verbs[];
extern const size_t admin_verb_count;

/* How a member becomes a cell; with CELL_IF_ANY its column is left out where no row has it. */
enum admin_cell {
    CELL_TEXT,
    CELL_TIME,
    CELL_TEXTS,
    CELL_IDENTIFIER,
    CELL_IDENTIFIERS,
    CELL_CHALLENGES,
    CELL_COUNT,
    CELL_FLAG,
};
enum { CELL_IF_ANY = 32 };

struct admin_object {
    const char *word, *collection, *sentence;
    unsigned verbs;
    struct {
        const char *title, *member;
        unsigned cell;
    } columns[ADMIN_COLUMNS_MAX];
};
extern const struct admin_object admin_objects[];
extern const size_t admin_object_count;

const struct admin_object *admin_object_of(const char *word); /* NULL: none */

/* To standard output: a page of objects as columns, newest first; one object member by member. */
void admin_print_list(const struct admin_object *object, const json_t *answer);
void admin_print_object(const json_t *object);
