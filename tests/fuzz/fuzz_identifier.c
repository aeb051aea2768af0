/* Input: the type's number in the first byte, then the value. The canonical form is its own canonical form. */
#include "acme/identifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    AUTO(arena) arena = arena_create(4096);
    enum acme_identifier_type type = data[0] % IDENTIFIER_TYPES;
    struct acme_identifier made, again;
    char why[IDENTIFIER_WHY_SIZE] = "";
    if (!identifier_make(arena, type, bytes_of(data + 1, size - 1), &made, why)) {
        CHECK(why[0] != '\0');
        return 0;
    }
    CHECK(strlen(made.value) <= IDENTIFIER_MAX_BYTES);
    CHECK(identifier_make(arena, type, bytes_text(made.value), &again, why));
    CHECK(identifier_compare(&made, &again) == 0);
    return 0;
}
