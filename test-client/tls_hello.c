#include "test-client/tls_hello.h"

enum { HOST_NAME = 0 };

/* A vector (RFC 8446 §3.4) whose length takes one byte or two. */
static bool take_vector(struct bytes *rest, size_t length_bytes, struct bytes *out)
{
    size_t len = 0;
    TRY(rest->len >= length_bytes);
    for (size_t i = 0; i < length_bytes; i++)
        len = len << 8 | rest->data[i];
    TRY(rest->len - length_bytes >= len);
    *out = bytes_of(rest->data + length_bytes, len);
    *rest = bytes_of(rest->data + length_bytes + len, rest->len - length_bytes - len);
    return true;
}

bool tls_hello_server_name(struct bytes extension, struct bytes *out)
{
    struct bytes list, name;
    TRY(take_vector(&extension, 2, &list) && extension.len == 0);
    TRY(list.len > 0 && list.data[0] == HOST_NAME);
    list = bytes_of(list.data + 1, list.len - 1);
    TRY(take_vector(&list, 2, &name) && list.len == 0 && name.len > 0);
    *out = name;
    return true;
}

bool tls_hello_protocols(struct bytes extension, struct bytes *out_list)
{
    struct bytes list;
    TRY(take_vector(&extension, 2, &list) && extension.len == 0 && list.len > 0);
    *out_list = list;
    return true;
}

bool tls_hello_next_protocol(struct bytes *list, struct bytes *out)
{
    struct bytes name;
    TRY(take_vector(list, 1, &name) && name.len > 0);
    *out = name;
    return true;
}
