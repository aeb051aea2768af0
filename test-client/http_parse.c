#include "test-client/http_parse.h"

#include <strings.h>

enum { CHUNK_LINE_MAX = 256 };

/* What the head says about the message, while it is read. */
struct head {
    struct http_request *request;
    bool http_1_0, has_host, has_length, chunked, wants_close, wants_keep_alive;
    size_t length;
    int status; /* why it is refused; 0 while all is well */
};

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        { 200, "OK" },
        { 302, "Found" },
        { 400, "Bad Request" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].status == status)
            return rows[i].text;
    }
    return "Status";
}

static bool refuse(struct head *head, int status)
{
    head->status = status;
    return false;
}

static bool same_word(struct bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Cuts `*rest` at the first `mark`: the part in front is returned, the part behind stays. False without a mark. */
static bool cut(struct bytes *rest, char mark, struct bytes *out)
{
    const uint8_t *at = rest->len > 0 ? memchr(rest->data, mark, rest->len) : NULL;
    TRY(at != NULL);
    *out = bytes_of(rest->data, (size_t)(at - rest->data));
    *rest = bytes_of(at + 1, rest->len - out->len - 1);
    return true;
}

/* One line without its end. False when the end has not come yet. */
static bool cut_line(struct bytes *rest, struct bytes *out)
{
    TRY(cut(rest, '\n', out));
    if (out->len > 0 && out->data[out->len - 1] == '\r')
        out->len--;
    return true;
}

static bool is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
            return false;
    }
    return text.len > 0;
}

static bool is_visible(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    }
    return text.len > 0;
}

/* RFC 9110 §5.5: no control characters in a field's value. */
static bool is_field_value(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* RFC 9112 §3.2.2: a server also takes the absolute form; what counts is the path. */
static bool read_target(struct bytes target, struct http_request *request)
{
    static const char scheme[] = "http://";
    if (target.len >= sizeof scheme - 1 && strncasecmp((const char *)target.data, scheme, sizeof scheme - 1) == 0) {
        target = bytes_of(target.data + sizeof scheme - 1, target.len - (sizeof scheme - 1));
        const uint8_t *slash = target.len > 0 ? memchr(target.data, '/', target.len) : NULL;
        target = slash == NULL ? bytes_text("/") : bytes_of(slash, target.len - (size_t)(slash - target.data));
    }
    TRY(target.len > 0 && (target.data[0] == '/' || bytes_equal_text(target, "*")));
    request->query = target;
    if (!cut(&request->query, '?', &request->path)) {
        request->path = target;
        request->query = bytes_of(NULL, 0);
    }
    return true;
}

static bool read_request_line(struct head *head, struct bytes line)
{
    struct bytes target;
    if (!cut(&line, ' ', &head->request->method) || !is_token(head->request->method) || !cut(&line, ' ', &target) ||
        !is_visible(target) || !read_target(target, head->request))
        return refuse(head, 400);
    head->http_1_0 = bytes_equal_text(line, "HTTP/1.0");
    if (head->http_1_0 || bytes_equal_text(line, "HTTP/1.1"))
        return true;
    bool other_version = line.len == 8 && memcmp(line.data, "HTTP/", 5) == 0;
    return refuse(head, other_version ? 505 : 400);
}

static bool read_host(struct head *head, struct bytes value)
{
    if (head->has_host) /* RFC 9112 §3.2 */
        return refuse(head, 400);
    head->has_host = true;
    head->request->host = value;
    return true;
}

static bool read_user_agent(struct head *head, struct bytes value)
{
    head->request->user_agent = value;
    return true;
}

static bool read_content_type(struct head *head, struct bytes value)
{
    head->request->content_type = value;
    return true;
}

static bool read_length(struct head *head, struct bytes value)
{
    size_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return refuse(head, 400);
        length = length * 10 + (size_t)(value.data[i] - '0');
        if (length > HTTP_BODY_MAX)
            return refuse(head, 413);
    }
    if (value.len == 0 || (head->has_length && head->length != length)) /* RFC 9112 §6.3 */
        return refuse(head, 400);
    head->has_length = true;
    head->length = length;
    return true;
}

static bool read_transfer_encoding(struct head *head, struct bytes value)
{
    if (!same_word(value, "chunked") || head->chunked)
        return refuse(head, 501);
    head->chunked = true;
    return true;
}

static bool read_connection(struct head *head, struct bytes value)
{
    for (bool more = true; more;) {
        struct bytes word = value;
        more = cut(&value, ',', &word);
        head->wants_close |= same_word(trim(word), "close");
        head->wants_keep_alive |= same_word(trim(word), "keep-alive");
    }
    return true;
}

static bool read_expect(struct head *head, struct bytes value)
{
    head->request->expects_continue = same_word(value, "100-continue");
    return true;
}

static bool read_field(struct head *head, struct bytes line)
{
    static const struct {
        const char *name;
        bool (*read)(struct head *head, struct bytes value);
    } fields[] = {
        { "Host", read_host },
        { "User-Agent", read_user_agent },
        { "Content-Type", read_content_type },
        { "Content-Length", read_length },
        { "Transfer-Encoding", read_transfer_encoding },
        { "Connection", read_connection },
        { "Expect", read_expect },
    };
    struct bytes name;
    if (!cut(&line, ':', &name) || !is_token(name) || !is_field_value(line)) /* refuses folded lines (§5.2) as well */
        return refuse(head, 400);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (same_word(name, fields[i].name))
            return fields[i].read(head, trim(line));
    }
    return true;
}

static bool finish_head(struct head *head)
{
    bool host_missing = !head->has_host && !head->http_1_0;
    bool two_lengths = head->chunked && head->has_length; /* RFC 9112 §6.1: the way to smuggle a request */
    if (host_missing || two_lengths || (head->chunked && head->http_1_0))
        return refuse(head, 400);
    head->request->keep_alive = head->http_1_0 ? head->wants_keep_alive : !head->wants_close;
    return true;
}

/* Reads up to the empty line; leaves the body in `*rest`. */
static enum http_parse read_head(struct head *head, struct bytes *rest)
{
    size_t total = rest->len;
    bool first = true;
    for (struct bytes line; cut_line(rest, &line);) {
        if (total - rest->len > HTTP_HEAD_MAX)
            break;
        if (line.len == 0 && first)
            continue; /* RFC 9112 §2.2: an empty line in front is skipped */
        if (line.len == 0)
            return finish_head(head) ? HTTP_DONE : HTTP_BAD;
        if (!(first ? read_request_line(head, line) : read_field(head, line)))
            return HTTP_BAD;
        first = false;
    }
    if (total <= HTTP_HEAD_MAX)
        return HTTP_MORE;
    head->status = 431;
    return HTTP_BAD;
}

static bool chunk_size(struct bytes line, size_t *out)
{
    struct bytes digits = line;
    struct bytes rest = line;
    if (cut(&rest, ';', &digits))
        digits = trim(digits);
    TRY(digits.len > 0 && digits.len <= 8);
    size_t size = 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char *at = memchr("0123456789abcdef0123456789ABCDEF", digits.data[i], 32);
        TRY(at != NULL);
        size = size * 16 + (size_t)(at - "0123456789abcdef0123456789ABCDEF") % 16;
    }
    *out = size;
    return true;
}

/* Trailer fields are skipped (RFC 9112 §7.1.2). */
static enum http_parse read_trailer(struct head *head, struct bytes *rest)
{
    size_t total = rest->len;
    for (struct bytes line; cut_line(rest, &line);) {
        if (line.len == 0)
            return HTTP_DONE;
    }
    head->status = 431;
    return total > HTTP_HEAD_MAX ? HTTP_BAD : HTTP_MORE;
}

static enum http_parse read_chunk(struct head *head, struct buf *chunks, struct bytes *rest, bool *out_last)
{
    struct bytes line;
    head->status = 400;
    if (!cut_line(rest, &line))
        return rest->len > CHUNK_LINE_MAX ? HTTP_BAD : HTTP_MORE;
    size_t size;
    if (line.len > CHUNK_LINE_MAX || !chunk_size(line, &size))
        return HTTP_BAD;
    *out_last = size == 0;
    if (size == 0)
        return read_trailer(head, rest);
    if (size > HTTP_BODY_MAX - chunks->len) {
        head->status = 413;
        return HTTP_BAD;
    }
    if (rest->len < size)
        return HTTP_MORE;
    buf_append(chunks, rest->data, size);
    *rest = bytes_of(rest->data + size, rest->len - size);
    if (!cut_line(rest, &line))
        return rest->len > 1 ? HTTP_BAD : HTTP_MORE;
    return line.len == 0 ? HTTP_DONE : HTTP_BAD;
}

static enum http_parse read_chunks(struct head *head, struct buf *chunks, struct bytes *rest)
{
    buf_clear(chunks);
    for (bool last = false; !last;) {
        enum http_parse parsed = read_chunk(head, chunks, rest, &last);
        if (parsed != HTTP_DONE)
            return parsed;
    }
    head->request->body = buf_bytes(chunks);
    head->status = 500;
    return chunks->failed ? HTTP_BAD : HTTP_DONE;
}

static enum http_parse read_body(struct head *head, struct buf *chunks, struct bytes *rest)
{
    if (head->chunked)
        return read_chunks(head, chunks, rest);
    if (rest->len < head->length)
        return HTTP_MORE;
    head->request->body = bytes_of(rest->data, head->length);
    *rest = bytes_of(rest->data + head->length, rest->len - head->length);
    return HTTP_DONE;
}

enum http_parse http_request_parse(struct bytes input, struct buf *chunks, struct http_request *out, size_t *out_used,
                                   int *out_status)
{
    struct http_request request = { 0 };
    struct head head = { .request = &request };
    struct bytes rest = input;
    enum http_parse parsed = read_head(&head, &rest);
    bool head_done = parsed == HTTP_DONE;
    if (head_done)
        parsed = read_body(&head, chunks, &rest);
    if (parsed == HTTP_BAD)
        *out_status = head.status;
    if (parsed == HTTP_DONE)
        *out_used = input.len - rest.len;
    if (parsed == HTTP_MORE)
        request = (struct http_request) { .expects_continue = head_done && request.expects_continue };
    *out = request;
    return parsed;
}
