#include "test-client/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read lies inside, and is all there is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes extension = bytes_of(data, size), name, list;
    if (tls_hello_server_name(extension, &name))
        CHECK(name.len > 0 && name.data + name.len == data + size);
    if (!tls_hello_protocols(extension, &list))
        return 0;
    CHECK(list.data + list.len == data + size);
    while (tls_hello_next_protocol(&list, &name))
        CHECK(name.len > 0 && name.data + name.len == list.data);
    return 0;
}
