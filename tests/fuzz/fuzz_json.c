/* Any bytes: our reading of plain objects and jansson's of all JSON give the same. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) ours = json_read_object(bytes_of(data, size), why);
    AUTO_TYPE(json_t) theirs = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_object(theirs) ? json_equal(ours, theirs) : ours == NULL);
    return 0;
}
