#include "validators/caa_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a set of records, each behind its length. A set with more authorities, an account or no wildcard in the
 * wish is never the worse for it, and who says no, says why in printable words. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const issuers[] = { "ca.test", "b.test" };
    struct bytes records[16];
    size_t count = 0;
    for (size_t at = 0; count < ARRAY_SIZE(records) && at < size && data[at] < size - at; at += 1 + (size_t)data[at])
        records[count++] = bytes_of(data + at + 1, data[at]);
    char why[VAL_CAA_WHY_SIZE] = "";
    struct val_caa_wish wish = { issuers, 1, size % 2 == 0, NULL, "http-01" };
    bool allowed = val_caa_allows(records, count, &wish, why);
    CHECK(allowed == (why[0] == '\0'));
    for (const char *c = why; *c != '\0'; c++)
        CHECK(*c >= ' ' && *c < 0x7f);
    wish.issuer_count = 2;
    CHECK(!allowed || val_caa_allows(records, count, &wish, why));
    wish.account_url = "u:1";
    CHECK(!allowed || val_caa_allows(records, count, &wish, why));
    wish.issuer_count = 0;
    CHECK(allowed || !val_caa_allows(records, count, &wish, why));
    return 0;
}
