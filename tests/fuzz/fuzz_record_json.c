/* Records as an imported file may hold them: what is accepted comes back from its own JSON. The first byte chooses the
 * type of record. */
#include "storage/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_record(struct arena *arena, const struct record_type *type, struct bytes text, void *out)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(text, why);
    return object != NULL && record_from_json(arena, type, object, out, why);
}

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
    } record;
    if (size == 0)
        return 0;
    const struct record_type *type = types[data[0] % ARRAY_SIZE(types)];
    AUTO(arena) arena = arena_create(16 << 20);
    if (!read_record(arena, type, bytes_of(data + 1, size - 1), &record))
        return 0;
    AUTO_BUF(first, 64 << 20);
    AUTO_BUF(second, 64 << 20);
    record_to_json(&JSON_OUT(&first, 0), NULL, type, &record);
    CHECK(read_record(arena, type, buf_bytes(&first), &record));
    record_to_json(&JSON_OUT(&second, 0), NULL, type, &record);
    CHECK(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    return 0;
}
