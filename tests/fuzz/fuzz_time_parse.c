/* Input: an RFC 3339 time. What is read is written and read again as the same second. */
#include "base/arena.h"
#include "base/clock_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(1 << 20);
    const char *text = arena_text_of(arena, bytes_of(data, size));
    int64_t ms, again;
    if (text == NULL || !time_parse(text, &ms))
        return 0;
    char written[TIME_TEXT_SIZE];
    time_text(ms, written);
    CHECK(time_parse(written, &again) && again <= ms && ms - again < 1000);
    return 0;
}
