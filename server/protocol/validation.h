/* Between a challenge and the validators: starts an attempt, and stores its outcome together with what follows from it
 * for the authorization and the orders that wait for it. */
#pragma once

#include "server/caraway.h"

struct validations;
struct attempt;

MUST_USE struct validations *validations_create(void);
/* After the validators and the store: frees what never came back. */
void validations_drop(struct validations *validations);
DEFINE_DROP(validations, validations_drop)

/* Takes all the memory that starting needs, so that a challenge is never stored as processing in vain. Texts are
 * copied. NULL: memory is out. */
MUST_USE struct attempt *attempt_create(struct caraway *caraway, const struct authorization *authorization,
                                        const struct challenge *challenge, const struct account *account);
void attempt_drop(struct attempt *attempt); /* one that was not begun */
DEFINE_DROP(attempt, attempt_drop)
/* The challenge must be stored as processing: a restart resumes it from there. */
void attempt_begin(struct attempt *attempt);
/* The client asks again for a challenge that waits for its next try: it comes at once, at most once a second. */
void validation_hurry(struct caraway *caraway, const struct authorization *authorization,
                      const struct challenge *challenge);
/* Starts again what was under way when the server ended. */
MUST_USE bool validations_resume(struct caraway *caraway);
