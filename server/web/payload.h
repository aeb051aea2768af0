/* Typed reading of a request's JSON payload, with refusals that name the member. All texts live in the request's
 * arena. An absent member leaves the output as it was and is no error. */
#pragma once

#include "server/web/request.h"

/* Takes the body of a request that nobody signs, a JSON object, as the payload. */
MUST_USE bool payload_read(struct request *rq);
MUST_USE bool payload_text(struct request *rq, const char *name, const char **out);
MUST_USE bool payload_flag(struct request *rq, const char *name, bool *out);
MUST_USE bool payload_texts(struct request *rq, const char *name, size_t most, struct texts *out);
/* base64url into bytes; padding is refused (RFC 8555 §6.1) unless lenient-base64 says otherwise. */
MUST_USE bool payload_b64url(struct request *rq, const char *name, size_t most, struct bytes *out);
/* RFC 3339; a time in year 1 counts as absent (a client without dates sends its zero time). */
MUST_USE bool payload_time(struct request *rq, const char *name, int64_t *out_ms);
