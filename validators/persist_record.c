#include "validators/persist_record.h"

#include "acme/challenge.h"
#include "base/encode.h"

#include <ctype.h>
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

static bool read_until(struct bytes digits, int64_t *out_s)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        TRY(digits.data[i] >= '0' && digits.data[i] <= '9');
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digits.data[i] - '0', &value))
            value = INT64_MAX / 10;
    }
    *out_s = value < VAL_PERSIST_FOR_EVER ? value : VAL_PERSIST_FOR_EVER;
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

/* Draft -02 §9.3.1. */
static bool is_hashed(struct bytes uri, const char *prefix)
{
    size_t prefix_len = strlen(prefix), algorithm_len = strlen(CHALLENGE_ACCOUNT_HASH);
    TRY(uri.len == prefix_len + algorithm_len + B64URL_LEN(SHA256_BYTES));
    TRY(memcmp(uri.data, prefix, prefix_len) == 0);
    TRY(memcmp(uri.data + prefix_len, CHALLENGE_ACCOUNT_HASH, algorithm_len) == 0);
    for (size_t i = prefix_len + algorithm_len; i < uri.len; i++)
        TRY(uri.data[i] == '-' || uri.data[i] == '_' || isalnum(uri.data[i]));
    return true;
}

static bool well_formed(const struct val_issue_value *value, const char *hash_prefix, int64_t *out_until_s,
                        char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes text;
    int64_t until_s = VAL_PERSIST_FOR_EVER;
    TRY(no_doubles(value, why));
    if (val_issue_value_find(value, bytes_text("accounturi"), &text) == 0)
        return fail(why, "accounturi is missing");
    if (hash_prefix != NULL && !is_hashed(text, hash_prefix))
        return fail(why, "accounturi is not %.70s" CHALLENGE_ACCOUNT_HASH " and a hash", hash_prefix);
    if (val_issue_value_find(value, bytes_text("persistUntil"), &text) > 0 && !read_until(text, &until_s))
        return fail(why, "persistUntil is not a number of seconds");
    *out_until_s = until_s;
    return true;
}

static bool is_ours(struct bytes account, const struct val_persist_wanted *wanted)
{
    for (size_t i = 0; i < wanted->account_count; i++)
        if (bytes_equal_text(account, wanted->accounts[i]))
            return true;
    return false;
}

static bool allows(const struct val_issue_value *value, int64_t until_s, const struct val_persist_wanted *wanted,
                   char why[static VAL_PERSIST_WHY_SIZE])
{
    struct bytes account = { 0 }, policy = { 0 };
    val_issue_value_find(value, bytes_text("accounturi"), &account);
    val_issue_value_find(value, bytes_text("policy"), &policy);
    if (!is_ours(account, wanted))
        return fail(why, "accounturi is another account's");
    if (wanted->now_s > until_s)
        return fail(why, "persistUntil=%lld has passed, it is %lld now", (long long)until_s, (long long)wanted->now_s);
    if (wanted->wildcard && !val_equal_without_case(policy, bytes_text("wildcard")))
        return fail(why, policy.data == NULL ? "policy=wildcard is missing" : "policy is not wildcard");
    return true;
}

enum val_persist_verdict val_persist_judge(struct bytes text, const struct val_persist_wanted *wanted,
                                           int64_t *out_until_s, char why[static VAL_PERSIST_WHY_SIZE])
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
    if (!readable || !well_formed(&value, wanted->hash_prefix, &until_s, why))
        return VAL_PERSIST_MALFORMED;
    if (!allows(&value, until_s, wanted, why))
        return VAL_PERSIST_REFUSED;
    *out_until_s = until_s;
    return VAL_PERSIST_FITS;
}
