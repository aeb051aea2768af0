/* The management port of caraway-challtestsrv: JSON orders over HTTP that change what the challenge servers say. */
#pragma once

#include "test-client/challtestsrv/answers.h"

/* The http_handler; its owner is a struct cts_answers. 200 with what an order answers, mostly nothing, or 400 or 404
 * with a line that says why. */
void cts_api_answer(void *answers, const struct http_request *request, struct http_response *response);
/* One line an order. */
void cts_api_help(struct buf *out);
