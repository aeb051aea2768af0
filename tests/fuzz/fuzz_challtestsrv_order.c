#include "test-client/challtestsrv/api.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line is an order: path, blank, body. What was carried out can be listed, and the list be read. */
static void carry_out(struct cts_answers *answers, struct bytes path, struct bytes body, struct buf *out)
{
    struct http_request request = { .path = path, .body = body };
    struct http_response response = { .status = 200, .body = out };
    buf_clear(out);
    cts_api_answer(answers, &request, &response);
    CHECK(response.status == 200 || response.status == 400 || response.status == 404);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[JSON_WHY_SIZE], flags_why[CTS_WHY_SIZE];
    struct cts_flags flags;
    struct cts_answers answers;
    AUTO_BUF(out, 1 << 24);
    CHECK(cts_flags_parse(1, (char *[]) { (char *)"test", NULL }, &flags, flags_why) == CTS_FLAGS_RUN);
    CHECK(cts_answers_init(&answers, &flags, flags_why));
    for (struct bytes rest = bytes_of(data, size); rest.len > 0;) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        struct bytes line = bytes_of(rest.data, end != NULL ? (size_t)(end - rest.data) : rest.len);
        rest = bytes_of(rest.data + line.len, rest.len - line.len);
        rest = bytes_of(rest.data + (end != NULL), rest.len - (end != NULL));
        const uint8_t *blank = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
        size_t path_len = blank != NULL ? (size_t)(blank - line.data) : line.len;
        carry_out(&answers, bytes_of(line.data, path_len), bytes_of(line.data + path_len, line.len - path_len), &out);
    }
    carry_out(&answers, bytes_text("/dump"), bytes_of(NULL, 0), &out);
    AUTO_TYPE(json_t) listed = json_read_object(buf_bytes(&out), why);
    CHECK(listed != NULL);
    cts_answers_clear(&answers);
    return 0;
}
