#include "validators/persist_record.h"

#include <stdarg.h>
#include <stdio.h>

static bool PRINTF_LIKE(2, 3) fail(char why[static VAL_PERSIST_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, VAL_PERSIST_WHY_SIZE, format, args);
    va_end(args);
    return false;
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

static bool no_doubles(const struct val_issue_value *value, char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes first;
    for (size_t i = 0; i < value->count; i++) {
        struct bytes tag = value->parameters[i].tag;
        if (val_issue_value_find(value, tag, &first) > 1)
            return fail(why, "%.*s stands there twice", tag.len > 30 ? 30 : (int)tag.len, (const char *)tag.data);
    }
    return true;
}

static bool well_formed(const struct val_issue_value *value, int64_t *out_until_s,
                        char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes text;
    int64_t until_s = INT64_MAX;
    TRY(no_doubles(value, why));
    if (val_issue_value_find(value, bytes_text("accounturi"), &text) == 0)
        return fail(why, "accounturi is missing");
    if (val_issue_value_find(value, bytes_text("persistUntil"), &text) > 0 && !read_until(text, &until_s))
        return fail(why, "persistUntil is not a number of seconds");
    *out_until_s = until_s;
    return true;
}

static bool allows(const struct val_issue_value *value, int64_t until_s, const struct val_persist_wanted *wanted,
                   char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes account = { 0 }, policy = { 0 };
    val_issue_value_find(value, bytes_text("accounturi"), &account);
    val_issue_value_find(value, bytes_text("policy"), &policy);
    if (!bytes_equal_text(account, wanted->account_url))
        return fail(why, "accounturi is another account's");
    if (wanted->now_s > until_s)
        return fail(why, "persistUntil=%lld has passed, it is %lld now", (long long)until_s, (long long)wanted->now_s);
    if (wanted->wildcard && !val_equal_without_case(policy, bytes_text("wildcard")))
        return fail(why, policy.data == NULL ? "policy=wildcard is missing" : "policy is not wildcard");
    return true;
}

enum val_persist_verdict val_persist_judge(struct bytes text, const struct val_persist_wanted *wanted,
                                           char why[static VAL_PERSIST_WHY_SIZE])
{
    struct val_issue_value value;
    int64_t until_s;
    bool readable = val_issue_value_read(text, &value, why);
    if (value.issuer.len == 0) {
        fail(why, "no issuer's name at the beginning");
        return VAL_PERSIST_FOREIGN;
    }
    if (!val_issue_value_names(&value, wanted->issuers, wanted->issuer_count)) {
        fail(why, "the issuer's name is none of ours");
        return VAL_PERSIST_FOREIGN;
    }
    if (!readable || !well_formed(&value, &until_s, why))
        return VAL_PERSIST_MALFORMED;
    return allows(&value, until_s, wanted, why) ? VAL_PERSIST_FITS : VAL_PERSIST_REFUSED;
}
