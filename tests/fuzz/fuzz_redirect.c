#include "validators/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Wherever a Location leads, the target stays whole: a URL of ours, a host that is a name or an address, a port that is
 * allowed; and where it leads does not depend on where it comes from when it is followed again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char location[4096], why[VAL_TARGET_WHY_SIZE];
    struct acme_identifier identifier = { IDENTIFIER_DNS, "a.test" };
    struct val_target target, again;
    size_t len = size < sizeof location - 1 ? size : sizeof location - 1;
    memcpy(location, data, len);
    location[len] = '\0';
    val_target_first(&target, &identifier, 5002, "token");
    again = target;
    if (!val_target_follow(&target, location, 5002, 5001, why))
        return 0;
    CHECK(strlen(target.url) < sizeof target.url && strncmp(target.url, "http", 4) == 0);
    CHECK(target.host[0] != '\0' && strpbrk(target.host, " /\\@?#%[]") == NULL);
    CHECK(target.port == 5002 || target.port == 5001 || target.port == 80 || target.port == 443);
    CHECK(val_target_follow(&again, target.url, 5002, 5001, why));
    CHECK(strcmp(again.host, target.host) == 0 && again.port == target.port);
    return 0;
}
