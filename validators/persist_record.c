#include "validators/persist_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/* the parameters we know */
enum tag { ACCOUNT_URI, POLICY, PERSIST_UNTIL, TAGS };
static const char *const tag_names[TAGS] = { "accounturi", "policy", "persistUntil" };

enum { PARAMETERS_MAX = 32 }; /* of any tag */

struct parameters {
    struct bytes tags[PARAMETERS_MAX]; /* loans from the record */
    size_t count;
    struct bytes values[TAGS]; /* data NULL when it is not there */
};

static bool PRINTF_LIKE(2, 3) fail(char why[static VAL_PERSIST_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, VAL_PERSIST_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool equal_without_case(struct bytes a, struct bytes b)
{
    return a.len == b.len && strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
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
static bool take_issuer(struct bytes *text, struct bytes *out)
{
    const uint8_t *start = text->data;
    size_t len = 0;
    struct bytes label;
    while (take_word(text, &label)) {
        len = (size_t)(label.data - start) + label.len;
        if (!skip_char(text, '.'))
            break;
    }
    *out = bytes_of(start, len);
    return len > 0;
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

static void keep(struct parameters *parameters, struct bytes tag, struct bytes value)
{
    parameters->tags[parameters->count++] = tag;
    for (unsigned i = 0; i < TAGS; i++)
        if (equal_without_case(tag, bytes_text(tag_names[i])))
            parameters->values[i] = value;
}

static bool take_parameter(struct bytes *text, struct parameters *parameters, char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes tag;
    if (!take_word(text, &tag))
        return fail(why, "parameter %zu has no tag of letters, digits and inner hyphens", parameters->count + 1);
    for (size_t i = 0; i < parameters->count; i++)
        if (equal_without_case(tag, parameters->tags[i]))
            return fail(why, "%.*s stands there twice", tag.len > 30 ? 30 : (int)tag.len, (const char *)tag.data);
    if (parameters->count == PARAMETERS_MAX)
        return fail(why, "more than %d parameters", PARAMETERS_MAX);
    skip_space(text);
    if (!skip_char(text, '='))
        return fail(why, "no = behind the tag of parameter %zu", parameters->count + 1);
    skip_space(text);
    keep(parameters, tag, take_value(text));
    skip_space(text);
    return true;
}

/* What follows the issuer name: [";" *WSP [parameters *WSP]] */
static bool take_parameters(struct bytes text, struct parameters *out, char why[static VAL_PERSIST_WHY_SIZE])
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

/* A number too large to hold stands for the end of time. */
static bool read_until(struct bytes digits, int64_t *out_s)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        TRY(digits.data[i] >= '0' && digits.data[i] <= '9');
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digits.data[i] - '0', &value))
            value = INT64_MAX / 10;
    }
    *out_s = value;
    return digits.len > 0;
}

static bool is_ours(struct bytes issuer, const struct val_persist_wanted *wanted)
{
    for (size_t i = 0; i < wanted->issuer_count; i++) {
        struct bytes ours = bytes_text(wanted->issuers[i]);
        if (ours.len > 0 && ours.data[ours.len - 1] == '.')
            ours.len--;
        if (equal_without_case(issuer, ours))
            return true;
    }
    return false;
}

static bool allows(const struct parameters *parameters, int64_t until_s, const struct val_persist_wanted *wanted,
                   char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes policy = parameters->values[POLICY];
    if (!bytes_equal_text(parameters->values[ACCOUNT_URI], wanted->account_url))
        return fail(why, "accounturi is another account's");
    if (wanted->now_s > until_s)
        return fail(why, "persistUntil=%lld has passed, it is %lld now", (long long)until_s, (long long)wanted->now_s);
    if (wanted->wildcard && !equal_without_case(policy, bytes_text("wildcard")))
        return fail(why, policy.data == NULL ? "policy=wildcard is missing" : "policy is not wildcard");
    return true;
}

static bool read_parameters(struct bytes text, struct parameters *out, int64_t *out_until_s,
                            char why[static VAL_PERSIST_WHY_SIZE])
{
    int64_t until_s = INT64_MAX;
    TRY(take_parameters(text, out, why));
    if (out->values[ACCOUNT_URI].data == NULL)
        return fail(why, "accounturi is missing");
    if (out->values[PERSIST_UNTIL].data != NULL && !read_until(out->values[PERSIST_UNTIL], &until_s))
        return fail(why, "persistUntil is not a number of seconds");
    *out_until_s = until_s;
    return true;
}

enum val_persist_verdict val_persist_judge(struct bytes text, const struct val_persist_wanted *wanted,
                                           char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes issuer;
    struct parameters parameters = { 0 };
    int64_t until_s;
    skip_space(&text);
    if (!take_issuer(&text, &issuer)) {
        fail(why, "no issuer's name at the beginning");
        return VAL_PERSIST_FOREIGN;
    }
    if (!is_ours(issuer, wanted)) {
        fail(why, "the issuer's name is none of ours");
        return VAL_PERSIST_FOREIGN;
    }
    skip_space(&text);
    if (!read_parameters(text, &parameters, &until_s, why))
        return VAL_PERSIST_MALFORMED;
    return allows(&parameters, until_s, wanted, why) ? VAL_PERSIST_FITS : VAL_PERSIST_REFUSED;
}
