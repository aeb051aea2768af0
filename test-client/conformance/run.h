/* The conformance suite as a whole. */
#pragma once

#include "test-client/conformance/check.h"

#include <stdio.h>

/* Runs what the settings ask for and prints it. False with `why` when it could not be run or reported. */
MUST_USE bool cf_run(const struct cf_settings *settings, bool *out_passed, char why[static TC_WHY_SIZE]);
/* One line a check. */
void cf_list(const struct cf_settings *settings, FILE *out);
