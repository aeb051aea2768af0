#include "validators/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The joined length never exceeds the data, and a small buffer gets the beginning of what a large one gets. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t large[4096], small[16];
    size_t len = val_txt_join(bytes_of(data, size), large, sizeof large);
    CHECK(len <= size);
    CHECK(val_txt_join(bytes_of(data, size), small, sizeof small) == len);
    CHECK(memcmp(large, small, len < sizeof small ? len : sizeof small) == 0);
    return 0;
}
