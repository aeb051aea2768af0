/* Records as they may come from a damaged page: what is accepted is stable and can be shown as JSON. The first byte
 * chooses the type of record. */
#include "storage/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct record_type *const types[] = {
#define X(record, fields, class, id_field) &record_type_##record,
        RECORD_TABLE(X)
#undef X
    };
    union {
#define X(record, fields, class, id_field) struct record record;
        RECORD_TABLE(X)
#undef X
    } first, second;
    if (size == 0)
        return 0;
    const struct record_type *type = types[data[0] % ARRAY_SIZE(types)];
    AUTO(arena) arena = arena_create(16 << 20);
    if (!record_decode(arena, type, bytes_of(data + 1, size - 1), &first))
        return 0;
    AUTO_BUF(encoded, 16 << 20);
    AUTO_BUF(again, 16 << 20);
    AUTO_BUF(json, 64 << 20);
    record_encode(&encoded, type, &first);
    CHECK(record_decode(arena, type, buf_bytes(&encoded), &second));
    record_encode(&again, type, &second);
    CHECK(bytes_equal(buf_bytes(&encoded), buf_bytes(&again)));
    record_to_json(&JSON_OUT(&json, 0), NULL, type, &first);
    CHECK(!json.failed);
    return 0;
}
