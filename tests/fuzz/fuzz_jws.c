/* Input: the body of a POST. What parses must also verify or be refused cleanly, as a JWS and as a binding. */
#include "acme/jws.h"

static void try_binding(struct arena *arena, struct bytes body)
{
    char why[JSON_WHY_SIZE];
    struct acme_problem problem;
    struct jws jws;
    AUTO_TYPE(json_t) object = json_read_object(body, why);
    if (object != NULL && jws_parse_hmac(arena, object, &jws, &problem))
        CHECK(!jws_verify_hmac(&jws, bytes_text("no one knows this"), &problem) && problem.detail[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(1 << 20);
    struct bytes body = bytes_of(data, size);
    struct acme_problem problem;
    struct jws jws;
    if (jws_parse(arena, body, &jws, &problem)) {
        CHECK((jws.jwk == NULL) != (jws.kid == NULL) && jws.url != NULL);
        if (jws.jwk != NULL && !jws_verify(&jws, jws.jwk, &problem))
            CHECK(problem.type == PROBLEM_MALFORMED);
        jws_clear(&jws);
    } else {
        CHECK(problem_json(arena, &problem) != NULL);
    }
    try_binding(arena, body);
    return 0;
}
