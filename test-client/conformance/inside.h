/* What the harness keeps to itself. */
#pragma once

#include "test-client/conformance/check.h"

#include <stdio.h>

enum cf_outcome { CF_PASSED, CF_FAILED, CF_NOT_OFFERED, CF_OUTCOMES };

extern const char *const cf_outcome_texts[CF_OUTCOMES];

enum { CF_WHY_SIZE = 1024, CF_SHOWN_MAX = 64 << 10 };

/* Things that checks hold on loan. */
struct cf_things {
    struct cf_thing {
        void *thing;
        void (*drop)(void *thing);
    } * list;
    size_t count, room;
};

struct cf_result {
    const struct cf_group *group;
    const struct cf_check *check;
    enum cf_outcome outcome;
    int64_t took_ms;
    const char *why;   /* arena; NULL when it passed */
    const char *shown; /* arena: the exchange; NULL */
};

struct cf_inside {
    bool decided; /* by the first cf_fail or cf_skip */
    enum cf_outcome outcome;
    char why[CF_WHY_SIZE];
    struct buf shown;

    /* the last exchange */
    struct tc_session *session;
    const char *method, *url, *content_type;
    bool signed_post;

    struct cf_things of_check, of_run;
    struct cf_things *keep; /* where new things go */

    unsigned made, broken; /* of enum cf_need */
    char broken_why[CF_WHY_SIZE];
    unsigned names, eab_used;
    char run[9]; /* makes names differ from those of the run before */
};

void cf_things_drop(struct cf_things *things);

/* Makes what the check needs. False when it is decided already. */
MUST_USE bool cf_prepare(struct cf *cf, unsigned needs);
/* Writes the last exchange. */
void cf_show_exchange(const struct cf *cf, struct buf *out);

extern const struct cf_group *const cf_groups[]; /* NULL-ended */

/* --- reports --- */
void cf_report_table(const struct cf_result *results, size_t count, FILE *out);
MUST_USE bool cf_report_json(const struct cf *cf, const struct cf_result *results, size_t count,
                             char why[static TC_WHY_SIZE]);
MUST_USE bool cf_report_junit(const struct cf *cf, const struct cf_result *results, size_t count,
                              char why[static TC_WHY_SIZE]);
