#include "validators/caa_policy.h"

#include "validators/issue_value.h"

#include <stdio.h>

/* The tags whose meaning is known: a critical record with another one forbids issuance (RFC 8659 §4.5). */
static const char *const known_tags[] = { "issue", "issuewild", "iodef", "issuemail", "issuevmc" };

/* How near a record comes to allowing it */
enum nearness { NOT_SEEN, MALFORMED, NOBODY, FOREIGN, RESTRICTED, ALLOWS };

static bool has_tag(const struct val_caa_record *record, const char *tag)
{
    return val_equal_without_case(record->tag, bytes_text(tag));
}

static bool is_known(const struct val_caa_record *record)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_tags); i++)
        if (has_tag(record, known_tags[i]))
            return true;
    return false;
}

static bool is_label(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        TRY((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-');
    }
    return text.len > 0;
}

/* RFC 8657 §4: labels with commas between; a list with anything else in it names no method. */
static bool lists_method(struct bytes list, const char *method)
{
    bool found = false;
    while (true) {
        const uint8_t *comma = list.len > 0 ? memchr(list.data, ',', list.len) : NULL;
        struct bytes label = bytes_of(list.data, comma != NULL ? (size_t)(comma - list.data) : list.len);
        TRY(is_label(label));
        found = found || bytes_equal_text(label, method);
        if (comma == NULL)
            return found;
        list = bytes_of(comma + 1, list.len - label.len - 1);
    }
}

/* RFC 8657 §3 and §4; a parameter that stands there twice is met by nothing. */
static const char *restriction(const struct val_issue_value *value, const struct val_caa_wish *wish)
{
    struct bytes text;
    size_t times = val_issue_value_find(value, bytes_text("accounturi"), &text);
    if (times > 1)
        return "has two accounturi";
    if (times == 1 && (wish->account_url == NULL || !bytes_equal_text(text, wish->account_url)))
        return "is for another account";
    times = val_issue_value_find(value, bytes_text("validationmethods"), &text);
    if (times > 1)
        return "has two validationmethods";
    if (times == 1 && !lists_method(text, wish->method))
        return "is for other challenge types";
    return NULL;
}

static enum nearness judge(const struct val_caa_record *record, const struct val_caa_wish *wish, const char **out_what)
{
    struct val_issue_value value;
    char why[VAL_ISSUE_WHY_SIZE];
    *out_what = "breaks the grammar of RFC 8659 and so allows nobody";
    if (!val_issue_value_read(record->value, &value, why))
        return MALFORMED;
    *out_what = "allows nobody";
    if (value.issuer.len == 0)
        return NOBODY;
    *out_what = "names another authority";
    if (!val_issue_value_names(&value, wish->issuers, wish->issuer_count))
        return FOREIGN;
    *out_what = restriction(&value, wish);
    return *out_what == NULL ? ALLOWS : RESTRICTED;
}

static bool refuse(struct bytes rdata, const char *what, size_t more, char why[static VAL_CAA_WHY_SIZE])
{
    char text[VAL_CAA_TEXT_SIZE], others[40] = "";
    if (more > 0)
        snprintf(others, sizeof others, " (and %zu more)", more);
    snprintf(why, VAL_CAA_WHY_SIZE, "%.250s %s%s", val_caa_record_text(rdata, text), what, others);
    return false;
}

static bool all_understood(const struct bytes *records, size_t count, char why[static VAL_CAA_WHY_SIZE])
{
    for (size_t i = 0; i < count; i++) {
        struct val_caa_record record;
        if (!val_caa_record_read(records[i], &record))
            return refuse(records[i], "is no CAA record", 0, why);
        if (val_caa_record_critical(&record) && !is_known(&record))
            return refuse(records[i], "is critical and its tag is unknown here", 0, why);
    }
    return true;
}

static size_t count_tag(const struct bytes *records, size_t count, const char *tag)
{
    size_t found = 0;
    struct val_caa_record record;
    for (size_t i = 0; i < count; i++)
        found += val_caa_record_read(records[i], &record) && has_tag(&record, tag);
    return found;
}

bool val_caa_allows(const struct bytes *records, size_t count, const struct val_caa_wish *wish,
                    char why[static VAL_CAA_WHY_SIZE])
{
    TRY(all_understood(records, count, why));
    /* RFC 8659 §4.3: for a wildcard issuewild counts alone where there is one */
    size_t wild = wish->wildcard ? count_tag(records, count, "issuewild") : 0;
    const char *tag = wild > 0 ? "issuewild" : "issue", *nearest_what = NULL;
    size_t relevant = wild > 0 ? wild : count_tag(records, count, tag);
    struct bytes nearest_record = { 0 };
    enum nearness nearest = NOT_SEEN;
    for (size_t i = 0; i < count; i++) {
        struct val_caa_record record;
        const char *what;
        if (!val_caa_record_read(records[i], &record) || !has_tag(&record, tag))
            continue;
        enum nearness nearness = judge(&record, wish, &what);
        if (nearness == ALLOWS)
            return true;
        if (nearness > nearest) {
            nearest = nearness;
            nearest_record = records[i];
            nearest_what = what;
        }
    }
    return relevant == 0 || refuse(nearest_record, nearest_what, relevant - 1, why);
}
