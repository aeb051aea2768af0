#include "test-client/http01.h"

enum { ANSWERS_MAX = 1 << 20 };

struct http01 {
    struct text_map *contents; /* token → content */
    int unknown_status;
};

struct http01 *http01_create(int unknown_status)
{
    struct http01 *answers = calloc(1, sizeof *answers);
    if (answers == NULL)
        return NULL;
    answers->unknown_status = unknown_status;
    answers->contents = text_map_create(ANSWERS_MAX, free);
    if (answers->contents == NULL) {
        free(answers);
        return NULL;
    }
    return answers;
}

void http01_drop(struct http01 *answers)
{
    if (answers == NULL)
        return;
    text_map_drop(answers->contents);
    free(answers);
}

bool http01_put(struct http01 *answers, const char *token, const char *content)
{
    AUTO_TYPE(char) copy = strdup(content);
    TRY(copy != NULL && text_map_put(answers->contents, bytes_text(token), copy));
    copy = NULL;
    return true;
}

void http01_remove(struct http01 *answers, const char *token)
{
    text_map_remove(answers->contents, bytes_text(token));
}

void http01_clear(struct http01 *answers)
{
    text_map_clear(answers->contents);
}

const struct text_map *http01_contents(const struct http01 *answers)
{
    return answers->contents;
}

void http01_answer(void *owner, const struct http_request *request, struct http_response *response)
{
    static const char prefix[] = "/.well-known/acme-challenge/";
    const struct http01 *answers = owner;
    struct bytes path = request->path;
    const char *content = NULL;
    if (path.len > sizeof prefix - 1 && memcmp(path.data, prefix, sizeof prefix - 1) == 0)
        content =
            text_map_get(answers->contents, bytes_of(path.data + sizeof prefix - 1, path.len - sizeof prefix + 1));
    if (content == NULL) {
        response->status = answers->unknown_status;
        return;
    }
    response->content_type = "application/octet-stream"; /* as RFC 8555 §8.3 shows it */
    buf_text(response->body, content);
}
