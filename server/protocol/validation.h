/* Between a challenge and the validators: starts an attempt, and stores its outcome together with what follows from it
 * for the authorization and the orders that wait for it. */
#pragma once

#include "server/caraway.h"

struct validations;

MUST_USE struct validations *validations_create(const struct world *world);
/* Before the validators: nothing is tried again from then on. */
void validations_stop(struct validations *validations);
/* After the validators and the store: frees what never came back. */
void validations_drop(struct validations *validations);
DEFINE_DROP(validations, validations_drop)

/* The challenge must be stored as processing: a restart resumes it from there. Texts are copied. */
void validation_begin(struct caraway *caraway, const struct authorization *authorization,
                      const struct challenge *challenge, const struct account *account);
/* The client asks again for a challenge that waits for its next try: it comes at once, at most once a second. */
void validation_hurry(struct caraway *caraway, const struct authorization *authorization,
                      const struct challenge *challenge);
/* Starts again what was under way when the server ended. */
MUST_USE bool validations_resume(struct caraway *caraway);
