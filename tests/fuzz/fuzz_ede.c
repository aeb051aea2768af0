#include "validators/ede.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found is short and printable, and found again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t asked[VAL_EDE_QUESTION_MAX];
    char words[VAL_EDE_TEXT_SIZE], again[VAL_EDE_TEXT_SIZE];
    struct bytes question = bytes_of(asked, val_ede_question(0x1234, "a.test", 16, asked));
    if (!val_ede_read(bytes_of(data, size), question, words))
        return 0;
    CHECK(memchr(words, '\0', sizeof words) != NULL && words[0] != '\0');
    for (const char *c = words; *c != '\0'; c++)
        CHECK(*c >= 0x20 && *c < 0x7f);
    CHECK(val_ede_read(bytes_of(data, size), question, again) && strcmp(words, again) == 0);
    return 0;
}
