/* Patterns of names in lists of what is allowed or denied: "www.example.test" is that name, "*.example.test" every name
 * below it at any depth, "10.1.0.0/16" or "2001:db8::1" addresses. */
#pragma once

#include "storage/store.h"

/* The pattern as it is compared, lower case. On refusal `why` is a phrase. */
enum { NAME_PATTERN_WHY_SIZE = IDENTIFIER_WHY_SIZE + 130 };
MUST_USE bool name_pattern_read(struct arena *arena, const char *text, const char **out,
                                char why[static NAME_PATTERN_WHY_SIZE]);

/* True when everything the identifier stands for is in the pattern. "*.b.test" stands for the names one label below,
 * and under SCOPE_SUBDOMAINS "b.test" for the names at any depth below it. */
bool name_pattern_covers(const char *pattern, const struct acme_identifier *identifier, enum authorization_scope scope);
/* True when anything it stands for is in the pattern. */
bool name_pattern_touches(const char *pattern, const struct acme_identifier *identifier);
