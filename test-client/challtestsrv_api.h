/* The management port of caraway-challtestsrv: JSON orders over HTTP that change what the challenge servers say, with
 * the paths and members of pebble-challtestsrv (member names without regard to case). */
#pragma once

#include "test-client/http01.h"
#include "test-client/mock_zone.h"
#include "test-client/tls_alpn01.h"

/* What the orders work on; NULL where no such server is on. */
struct cts_answers {
    struct mock_zone *zone;
    struct http01 *http;
    struct tls_alpn01 *tls;
};

/* The http_handler; its owner is a struct cts_answers. 200 without a body, or 400 or 404 with a line that says why. */
void cts_api_answer(void *answers, const struct http_request *request, struct http_response *response);
