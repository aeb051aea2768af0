/* The admin commands (`caraway cert list`, `caraway eab add`, …), answered by the running server. */
#pragma once

#include "base/macros.h"

/* argv[0] is the object ("account"). Returns the exit status. */
int admin_command(int argc, char **argv);
/* True for the words that admin_command takes as argv[0]. */
bool admin_is_object(const char *word);
