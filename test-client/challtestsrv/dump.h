/* All that the challenge servers know, as JSON. */
#pragma once

#include "test-client/challtestsrv/answers.h"

/* False when it does not fit, or memory is out. */
MUST_USE bool cts_dump_write(const struct cts_answers *answers, struct buf *out);
