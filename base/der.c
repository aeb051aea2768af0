#include "base/der.h"

enum { TAG_NUMBER = 0x1f, LONG_FORM = 0x80, LENGTH_BYTES_MAX = 4, SIGN_BIT = 0x80 };

static void fail(const struct der *in, enum der_fault fault)
{
    if (*in->fault == DER_SOUND)
        *in->fault = fault;
}

bool der_more(const struct der *in)
{
    return *in->fault == DER_SOUND && in->left.len > 0;
}

uint8_t der_peek(const struct der *in)
{
    return der_more(in) ? in->left.data[0] : 0;
}

/* The bytes of tag and length, and the length that they give; checked against what is left. */
static enum der_fault read_head(struct bytes left, size_t *out_head, size_t *out_len)
{
    if (left.len < 2 || left.data[0] == 0 || (left.data[0] & TAG_NUMBER) == TAG_NUMBER)
        return DER_BROKEN;
    size_t head = 2, len = left.data[1];
    if (len == LONG_FORM)
        return DER_NOT_CANONICAL; /* the indefinite form */
    if (len > LONG_FORM) {
        size_t count = len - LONG_FORM;
        if (count > LENGTH_BYTES_MAX || count > left.len - head)
            return DER_BROKEN;
        for (len = 0; head < 2 + count; head++)
            len = len << 8 | left.data[head];
        if (len < LONG_FORM || left.data[2] == 0)
            return DER_NOT_CANONICAL;
    }
    if (len > left.len - head)
        return DER_BROKEN;
    *out_head = head;
    *out_len = len;
    return DER_SOUND;
}

/* Takes the next value, whatever it is; false after a fault. */
static bool take(struct der *in, struct bytes *out_element, struct bytes *out_content)
{
    size_t head, len;
    TRY(*in->fault == DER_SOUND);
    enum der_fault fault = read_head(in->left, &head, &len);
    if (fault != DER_SOUND) {
        fail(in, fault);
        return false;
    }
    *out_element = bytes_of(in->left.data, head + len);
    *out_content = bytes_of(in->left.data + head, len);
    in->left = bytes_of(in->left.data + head + len, in->left.len - head - len);
    return true;
}

static bool take_tagged(struct der *in, uint8_t tag, struct bytes *out_element, struct bytes *out_content)
{
    if (der_peek(in) != tag)
        fail(in, DER_BROKEN);
    return take(in, out_element, out_content);
}

struct bytes der_element(struct der *in, uint8_t tag)
{
    struct bytes element, content;
    return take_tagged(in, tag, &element, &content) ? element : bytes_of(NULL, 0);
}

struct bytes der_content(struct der *in, uint8_t tag)
{
    struct bytes element, content;
    return take_tagged(in, tag, &element, &content) ? content : bytes_of(NULL, 0);
}

struct bytes der_any(struct der *in, uint8_t *out_tag)
{
    struct bytes element, content;
    if (!take(in, &element, &content))
        return bytes_of(NULL, 0);
    *out_tag = element.data[0];
    return content;
}

struct der der_enter(struct der *in, uint8_t tag)
{
    return DER_OVER(der_content(in, tag), in->fault);
}

struct bytes der_number(struct der *in)
{
    struct bytes number = der_content(in, DER_INTEGER);
    if (number.len == 0 || number.data[0] & SIGN_BIT) {
        fail(in, DER_BROKEN);
        return bytes_of(NULL, 0);
    }
    if (number.data[0] != 0)
        return number;
    if (number.len == 1 || !(number.data[1] & SIGN_BIT)) {
        fail(in, number.len == 1 ? DER_BROKEN : DER_NOT_CANONICAL);
        return bytes_of(NULL, 0);
    }
    return bytes_of(number.data + 1, number.len - 1);
}

struct bytes der_octets(struct der *in)
{
    struct bytes bits = der_content(in, DER_BIT_STRING);
    if (bits.len > 0 && bits.data[0] == 0) /* the number of unused bits */
        return bytes_of(bits.data + 1, bits.len - 1);
    fail(in, DER_BROKEN);
    return bytes_of(NULL, 0);
}

void der_end(const struct der *in)
{
    if (in->left.len > 0)
        fail(in, DER_BROKEN);
}

void der_sorted(struct der elements)
{
    struct bytes last = { 0 }, element, content;
    while (der_more(&elements) && take(&elements, &element, &content)) {
        /* the shorter is never the beginning of the longer, for both begin with their length */
        size_t common = last.len < element.len ? last.len : element.len;
        if (common > 0 && memcmp(last.data, element.data, common) > 0)
            fail(&elements, DER_NOT_CANONICAL);
        last = element;
    }
}

void der_wrap(struct buf *out, size_t start, uint8_t tag)
{
    size_t len = out->len - start, head = 2;
    uint8_t header[6] = { tag, (uint8_t)len };
    if (len > 0x7F) {
        size_t octets = len > 0xFFFF ? 3 : len > 0xFF ? 2 : 1;
        header[1] = (uint8_t)(0x80 | octets);
        for (size_t i = 0; i < octets; i++)
            header[head++] = (uint8_t)(len >> 8 * (octets - 1 - i));
    }
    if (!buf_reserve(out, head))
        return;
    memmove(out->data + start + head, out->data + start, len + 1);
    memcpy(out->data + start, header, head);
    out->len += head;
}
