#include "test-client/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read whole must be read the same without the bytes behind it, and never from fewer bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF(chunks, HTTP_BODY_MAX);
    struct http_request request, again;
    size_t used = 0, used_again = 0;
    int status = 0;
    if (http_request_parse(bytes_of(data, size), &chunks, &request, &used, &status) != HTTP_DONE)
        return 0;
    CHECK(used <= size && request.body.len <= HTTP_BODY_MAX);
    size_t body_len = request.body.len;
    CHECK(http_request_parse(bytes_of(data, used), &chunks, &again, &used_again, &status) == HTTP_DONE);
    CHECK(used_again == used && again.body.len == body_len && bytes_equal(again.path, request.path));
    CHECK(http_request_parse(bytes_of(data, used - 1), &chunks, &again, &used_again, &status) == HTTP_MORE);
    return 0;
}
