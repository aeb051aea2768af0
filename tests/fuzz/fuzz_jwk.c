/* Input: the JSON of a JWK. What is accepted has one canonical text that is accepted again. */
#include "acme/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_of(data, size), why);
    struct acme_problem problem;
    struct jwk *parsed = NULL;
    if (object == NULL || !jwk_parse(object, &parsed, &problem))
        return 0;
    AUTO(jwk) key = parsed;
    struct jwk *again = NULL;
    CHECK(jwk_from_json(jwk_json(key), &again, &problem));
    CHECK(strcmp(jwk_json(key), jwk_json(again)) == 0 && strcmp(jwk_thumbprint(key), jwk_thumbprint(again)) == 0);
    jwk_drop(again);
    return 0;
}
