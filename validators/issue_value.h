/* The issue-value of RFC 8659 §4.2: an issuer's name and parameters, as CAA's issue and issuewild and dns-persist-01
 * write it. Whoever may write to the zone writes them: hostile input. */
#pragma once

#include "base/bytes.h"

enum { VAL_ISSUE_PARAMETERS_MAX = 32, VAL_ISSUE_WHY_SIZE = 128 };

struct val_issue_value {
    struct bytes issuer; /* without the dot at its end; empty when there is none */
    struct {
        struct bytes tag, value;
    } parameters[VAL_ISSUE_PARAMETERS_MAX]; /* any, in their order */
    size_t count;
};

/* Loans from `text`. On failure `why` is a phrase ("no = behind the tag of parameter 2") and `out` holds what was read
 * before. */
MUST_USE bool val_issue_value_read(struct bytes text, struct val_issue_value *out, char why[static VAL_ISSUE_WHY_SIZE]);

/* How often the tag, which has no case, stands there; `out` is the value of the first. */
size_t val_issue_value_find(const struct val_issue_value *value, struct bytes tag, struct bytes *out);
/* Whether the issuer is one of the names, compared without case and without a dot at the end. */
bool val_issue_value_names(const struct val_issue_value *value, const char *const *names, size_t count);
bool val_equal_without_case(struct bytes a, struct bytes b);
