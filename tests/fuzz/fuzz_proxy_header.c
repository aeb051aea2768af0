#include "server/web/proxy_header.h"

/* Of a complete header every beginning waits for more, and what follows it changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole, part;
    enum proxy_verdict verdict = proxy_header_read(bytes_of(data, size), &whole);
    if (verdict == PROXY_INCOMPLETE)
        CHECK(size < PROXY_HEADER_MAX_BYTES);
    if (verdict != PROXY_COMPLETE)
        return 0;
    CHECK(whole.len > 0 && whole.len <= size && whole.len <= PROXY_HEADER_MAX_BYTES);
    for (size_t len = 0; len < whole.len; len++)
        CHECK(proxy_header_read(bytes_of(data, len), &part) == PROXY_INCOMPLETE);
    CHECK(proxy_header_read(bytes_of(data, whole.len), &part) == PROXY_COMPLETE && part.len == whole.len);
    CHECK(part.client.any.sa_family == whole.client.any.sa_family);
    return 0;
}
