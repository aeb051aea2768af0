/* A thread for work behind the scenes: signals go to the threads that wait for them, and it keeps only those that its
 * own faults raise. */
#pragma once

#include "base/macros.h"

#include <pthread.h>

MUST_USE bool thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);
