/* Extended DNS errors (RFC 8914): a question, and what its answer says of why there are no records. */
#pragma once

#include "base/bytes.h"

enum { VAL_EDE_QUESTION_MAX = 12 + 255 + 4 + 11, VAL_EDE_ANSWER_MAX = 1232, VAL_EDE_TEXT_SIZE = 300 };

/* One that asks for recursion, with EDNS for answers of at most VAL_EDE_ANSWER_MAX bytes. Returns its length; 0 when
 * the name is none that DNS could know. */
size_t val_ede_question(uint16_t id, const char *name, int type, uint8_t out[static VAL_EDE_QUESTION_MAX]);

/* The first extended error in the (hostile) answer to that question, in words. False when there is none, or the answer
 * is not one to it. */
MUST_USE bool val_ede_read(struct bytes answer, struct bytes question, char out[static VAL_EDE_TEXT_SIZE]);
