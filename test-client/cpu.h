/* Processor time of this process and of another one, to say what an issuance costs on either side. */
#pragma once

#include "base/macros.h"

uint64_t tc_cpu_own_us(void);
/* User and system time of a process and all its descendants, from /proc. False when there is no such process. */
MUST_USE bool tc_cpu_tree_us(long pid, uint64_t *out_us);
