#include "test-client/answer.h"

#include <strings.h>
#include <time.h>

enum { RETRY_DIGITS_MAX = 9 };

void tc_answer_free(struct tc_answer *answer)
{
    buf_free(&answer->headers);
    buf_free(&answer->body);
    answer->status = 0;
}

void tc_answer_clear(struct tc_answer *answer)
{
    buf_clear(&answer->headers);
    buf_clear(&answer->body);
    answer->status = 0;
}

static struct bytes without_line_end(struct bytes line)
{
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    return line;
}

void tc_answer_take_header(struct tc_answer *answer, struct bytes line)
{
    line = without_line_end(line);
    if (line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0) {
        buf_clear(&answer->headers);
        return;
    }
    if (line.len == 0 || memchr(line.data, '\0', line.len) != NULL || memchr(line.data, ':', line.len) == NULL)
        return;
    buf_append(&answer->headers, line.data, line.len);
    buf_char(&answer->headers, '\0');
}

static const char *header_value(const char *line, const char *name)
{
    size_t len = strlen(name);
    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    const char *value = line + len + 1;
    return value + strspn(value, " \t");
}

const char *tc_answer_header(const struct tc_answer *answer, const char *name, unsigned index)
{
    const char *start = buf_str(&answer->headers), *end = start + answer->headers.len;
    for (const char *line = start; line != end; line += strlen(line) + 1) {
        const char *value = header_value(line, name);
        if (value != NULL && index-- == 0)
            return value;
    }
    return NULL;
}

static bool is_b64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

const char *tc_answer_nonce(const struct tc_answer *answer)
{
    const char *nonce = tc_answer_header(answer, "Replay-Nonce", 0);
    if (nonce == NULL)
        return NULL;
    size_t len = 0;
    while (is_b64url(nonce[len]))
        len++;
    return nonce[len] == '\0' && len > 0 && len <= TC_NONCE_MAX ? nonce : NULL;
}

static bool retry_seconds(const char *value, int64_t *out_ms)
{
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > RETRY_DIGITS_MAX || value[digits + strspn(value + digits, " \t")] != '\0')
        return false;
    *out_ms = strtoll(value, NULL, 10) * 1000;
    return true;
}

static bool retry_date(const char *value, int64_t now_ms, int64_t *out_ms)
{
    struct tm parts = { 0 };
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == NULL || *end != '\0')
        return false;
    int64_t at_ms = (int64_t)timegm(&parts) * 1000;
    *out_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    return true;
}

bool tc_retry_after(const char *value, int64_t now_ms, int64_t *out_ms)
{
    return value != NULL && (retry_seconds(value, out_ms) || retry_date(value, now_ms, out_ms));
}
