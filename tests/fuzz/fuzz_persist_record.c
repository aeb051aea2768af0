#include "validators/persist_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What fits for a wildcard fits for the name alone; nothing fits another account or another authority; who says no,
 * says why in printable words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const issuers[] = { "ca.test" }, *const others[] = { "other.test" };
    static const char *const accounts[] = { "u:1" }, *const strangers[] = { "u:2" };
    const struct val_persist_wanted wildcard = { accounts, 1, NULL, issuers, 1, true, 1760000000 };
    int64_t until_s;
    struct val_persist_wanted wanted = wildcard;
    char why[VAL_PERSIST_WHY_SIZE] = "";
    if (size > VAL_PERSIST_MAX_BYTES)
        return 0;
    wanted.wildcard = false;
    enum val_persist_verdict verdict = val_persist_judge(bytes_of(data, size), &wanted, &until_s, why);
    CHECK((verdict == VAL_PERSIST_FITS) == (why[0] == '\0'));
    for (const char *c = why; *c != '\0'; c++)
        CHECK(*c >= ' ' && *c < 0x7f);
    if (val_persist_judge(bytes_of(data, size), &wildcard, &until_s, why) == VAL_PERSIST_FITS)
        CHECK(verdict == VAL_PERSIST_FITS);
    wanted.accounts = strangers;
    CHECK(verdict != VAL_PERSIST_FITS ||
          val_persist_judge(bytes_of(data, size), &wanted, &until_s, why) == VAL_PERSIST_REFUSED);
    wanted.hash_prefix = "u:";
    CHECK(verdict != VAL_PERSIST_FITS ||
          val_persist_judge(bytes_of(data, size), &wanted, &until_s, why) == VAL_PERSIST_MALFORMED);
    wanted.issuers = others;
    CHECK(verdict != VAL_PERSIST_FITS ||
          val_persist_judge(bytes_of(data, size), &wanted, &until_s, why) == VAL_PERSIST_FOREIGN);
    return 0;
}
