#include "validators/issue_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

static bool PRINTF_LIKE(2, 3) fail(char why[static VAL_ISSUE_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, VAL_ISSUE_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static void skip(struct bytes *text, size_t count)
{
    *text = bytes_of(text->data + count, text->len - count);
}

static void skip_space(struct bytes *text)
{
    while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t'))
        skip(text, 1);
}

static bool skip_char(struct bytes *text, char c)
{
    TRY(text->len > 0 && text->data[0] == c);
    skip(text, 1);
    return true;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A label and a tag are the same: letters and digits, with hyphens inside. */
static bool take_word(struct bytes *text, struct bytes *out)
{
    size_t len = 0;
    while (len < text->len && (is_alnum(text->data[len]) || text->data[len] == '-'))
        len++;
    TRY(len > 0 && text->data[0] != '-' && text->data[len - 1] != '-');
    *out = bytes_of(text->data, len);
    skip(text, len);
    return true;
}

/* Labels between dots, without the dot that may end them. */
static struct bytes take_issuer(struct bytes *text)
{
    const uint8_t *start = text->data;
    size_t len = 0;
    struct bytes label;
    while (take_word(text, &label)) {
        len = (size_t)(label.data - start) + label.len;
        if (!skip_char(text, '.'))
            break;
    }
    return bytes_of(start, len);
}

static struct bytes take_value(struct bytes *text)
{
    size_t len = 0;
    while (len < text->len && text->data[len] > ' ' && text->data[len] < 0x7f && text->data[len] != ';')
        len++;
    struct bytes value = bytes_of(text->data, len);
    skip(text, len);
    return value;
}

static bool take_parameter(struct bytes *text, struct val_issue_value *out, char why[static VAL_ISSUE_WHY_SIZE])
{
    struct bytes tag;
    if (!take_word(text, &tag))
        return fail(why, "parameter %zu has no tag of letters, digits and inner hyphens", out->count + 1);
    if (out->count == VAL_ISSUE_PARAMETERS_MAX)
        return fail(why, "more than %d parameters", VAL_ISSUE_PARAMETERS_MAX);
    skip_space(text);
    if (!skip_char(text, '='))
        return fail(why, "no = behind the tag of parameter %zu", out->count + 1);
    skip_space(text);
    out->parameters[out->count].tag = tag;
    out->parameters[out->count++].value = take_value(text);
    skip_space(text);
    return true;
}

/* What follows the issuer's name: [";" *WSP [parameters *WSP]] */
static bool take_parameters(struct bytes text, struct val_issue_value *out, char why[static VAL_ISSUE_WHY_SIZE])
{
    bool more = skip_char(&text, ';');
    skip_space(&text);
    while (more && (text.len > 0 || out->count > 0)) {
        TRY(take_parameter(&text, out, why));
        more = skip_char(&text, ';');
        skip_space(&text);
    }
    if (text.len == 0)
        return true;
    return out->count == 0
               ? fail(why, "no ; behind the issuer's name")
               : fail(why, "the value of parameter %zu has a space or a character that is not printable", out->count);
}

bool val_issue_value_read(struct bytes text, struct val_issue_value *out, char why[static VAL_ISSUE_WHY_SIZE])
{
    out->count = 0;
    skip_space(&text);
    out->issuer = take_issuer(&text);
    skip_space(&text);
    return take_parameters(text, out, why);
}

bool val_equal_without_case(struct bytes a, struct bytes b)
{
    return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

size_t val_issue_value_find(const struct val_issue_value *value, struct bytes tag, struct bytes *out)
{
    size_t found = 0;
    for (size_t i = 0; i < value->count; i++)
        if (val_equal_without_case(tag, value->parameters[i].tag) && found++ == 0)
            *out = value->parameters[i].value;
    return found;
}

bool val_issue_value_names(const struct val_issue_value *value, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes name = bytes_text(names[i]);
        if (name.len > 0 && name.data[name.len - 1] == '.')
            name.len--;
        if (name.len > 0 && val_equal_without_case(value->issuer, name))
            return true;
    }
    return false;
}
