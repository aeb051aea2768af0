/* Challenges (RFC 8555 §7.1.5, §7.5.1). */
#pragma once

#include "server/web/request.h"

bool challenge_post(struct request *rq); /* POST-as-GET, or start */

/* The only writer of a challenge's state. */
void challenge_move(struct challenge *challenge, enum challenge_state to);

/* The challenge object, as a member of an authorization or alone. */
void challenge_write(struct json_out *out, struct request *rq, const struct authorization *authorization,
                     const struct challenge *challenge);
/* How long to wait before asking again. */
void challenge_retry_after(struct request *rq, const struct challenge *challenge);
