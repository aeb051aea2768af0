/* Sentences for the one who runs the server: what is wrong and what to do about it. */
#pragma once

#include "ca/ca.h"

/* Both cut what does not fit and return false, for `return`. */
bool why_fail(char why[static CA_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
bool why_add(char why[static CA_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3); /* behind what stands there */
