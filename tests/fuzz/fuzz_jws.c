/* Input: the body of a POST, and then again only its protected header, which base64url would hide from the fuzzer.
 * What parses must verify or be refused cleanly. */
#include "acme/jws.h"
#include "base/encode.h"

static void try_request(struct arena *arena, struct bytes body)
{
    struct acme_problem problem;
    struct jws jws;
    if (!jws_parse(arena, body, &jws, &problem)) {
        CHECK(problem_json(arena, &problem) != NULL);
        return;
    }
    CHECK((jws.jwk == NULL) != (jws.kid == NULL) && jws.url != NULL);
    if (jws.jwk != NULL && !jws_verify(&jws, jws.jwk, &problem))
        CHECK(problem.type == PROBLEM_MALFORMED);
    jws_clear(&jws);
}

static void try_binding(struct arena *arena, struct bytes body)
{
    char why[JSON_WHY_SIZE];
    struct acme_problem problem;
    struct jws jws;
    AUTO_TYPE(json_t) object = json_read_object(body, why);
    if (object != NULL && jws_parse_hmac(arena, object, &jws, &problem))
        CHECK(!jws_verify_hmac(&jws, bytes_text("no one knows this"), &problem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(1 << 22);
    AUTO_BUF(wrapped, 1 << 22);
    buf_text(&wrapped, "{\"payload\":\"e30\",\"signature\":\"c2ln\",\"protected\":\"");
    buf_b64url(&wrapped, bytes_of(data, size));
    buf_text(&wrapped, "\"}");
    try_request(arena, bytes_of(data, size));
    try_request(arena, buf_bytes(&wrapped));
    try_binding(arena, bytes_of(data, size));
    try_binding(arena, buf_bytes(&wrapped));
    return 0;
}
