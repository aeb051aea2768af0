/* Input: text. What decodes encodes to the same text again, in base64url and in hexadecimal. */
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(1 << 22);
    struct bytes text = bytes_of(data, size);
    struct bytes out;
    if (b64url_decode(arena, text, &out)) {
        const char *again = arena_b64url(arena, out);
        CHECK(again == NULL || bytes_equal_text(text, again));
    }
    if (hex_decode(arena, text, &out)) {
        const char *again = arena_hex(arena, out);
        CHECK(again == NULL || bytes_equal_text(text, again));
    }
    return 0;
}
