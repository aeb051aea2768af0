/* `validationRecord` of a challenge, in Boulder's words: per place that the validation was led to its URL, host, port
 * and addresses, and who named them. It comes out of the trace, which is bounded and has hostile bytes escaped. */
#pragma once

#include "storage/records.h"

#include "base/json.h"

/* Nothing when the challenge has not been tried. */
void validation_record_write(struct json_out *out, const struct challenge *challenge,
                             const struct acme_identifier *identifier);
