#include "test-client/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size), whole = rest;
    for (struct tc_link link; tc_link_next(&rest, &link);) {
        CHECK(rest.data >= whole.data && rest.data + rest.len == whole.data + whole.len);
        CHECK(link.target.len <= size && link.rel.len <= size);
        (void)tc_link_is(&link, "alternate");
    }
    return 0;
}
