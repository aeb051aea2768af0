/* dns-persist-01 (draft-ietf-acme-dns-persist-02 §4): a lasting TXT record at _validation-persist.NAME says which
 * account of which authority may have certificates. One record that fits is enough (§4.3). */
#include "validators/persist_record.h"
#include "validators/printable.h"
#include "validators/txt_lookup.h"

#include <stdio.h>

enum { REASONS_MAX = 3 };

struct finding {
    enum val_persist_verdict verdict;
    int64_t until_s; /* of one that fits */
    char why[VAL_PERSIST_WHY_SIZE];
    char shown[VAL_SHOWN_SIZE];
};

/* Draft -02 §5.1, §6.2: policy=wildcard speaks for wildcards and for the names below alike. */
static bool covers_more(const struct validation *validation)
{
    return validation->wildcard || validation->subdomains;
}

static struct finding find(const struct val_txt_lookup *lookup, size_t i)
{
    const struct validation *validation = lookup->attempt.validation;
    const struct val_persist_wanted wanted = {
        .accounts = validation->accounts,
        .account_count = validation->account_count,
        .hash_prefix = validation->hash_prefix,
        .issuers = validation->issuers,
        .issuer_count = validation->issuer_count,
        .wildcard = covers_more(validation),
        .now_s = validation->now_ms / 1000,
    };
    struct finding finding = { VAL_PERSIST_FOREIGN, 0, "longer than any that could fit", "" };
    uint8_t joined[VAL_PERSIST_MAX_BYTES];
    size_t len = val_txt_join(val_question_record(&lookup->question, i), joined, sizeof joined);
    struct bytes text = bytes_of(joined, len < sizeof joined ? len : sizeof joined);
    if (len <= sizeof joined)
        finding.verdict = val_persist_judge(text, &wanted, &finding.until_s, finding.why);
    val_printable(text, finding.shown);
    return finding;
}

/* Why records did not fit, those that name us first: with the others it is all the same reason. */
static void say_why(const struct val_txt_lookup *lookup, struct buf *out, unsigned seen[static VAL_PERSIST_VERDICTS])
{
    size_t count = val_question_records(&lookup->question), said = 0;
    for (int foreign = 0; foreign <= 1; foreign++) {
        for (size_t i = 0; i < count; i++) {
            struct finding finding = find(lookup, i);
            if ((finding.verdict == VAL_PERSIST_FOREIGN) != foreign)
                continue;
            seen[finding.verdict]++;
            if (said++ < REASONS_MAX)
                buf_printf(out, "; \"%s\": %s", finding.shown, finding.why);
        }
    }
    if (count > REASONS_MAX)
        buf_printf(out, "; and %zu more", count - REASONS_MAX);
}

/* The draft wants "malformed" for broken syntax. A record that names us in good syntax says more than a broken one. */
static enum val_turn refuse(struct val_txt_lookup *lookup)
{
    unsigned seen[VAL_PERSIST_VERDICTS] = { 0 };
    AUTO_BUF(reasons, REASONS_MAX * (VAL_SHOWN_SIZE + VAL_PERSIST_WHY_SIZE + 8) + 40);
    say_why(lookup, &reasons, seen);
    bool malformed = seen[VAL_PERSIST_MALFORMED] > 0 && seen[VAL_PERSIST_REFUSED] == 0;
    return val_attempt_fail(&lookup->attempt, malformed ? PROBLEM_MALFORMED : PROBLEM_UNAUTHORIZED,
                            "TXT %s: no record fits, asked %s; one record should be \"%s\"%s", lookup->name,
                            val_txt_server(lookup), lookup->wanted, buf_str(&reasons));
}

static enum val_turn compare(struct val_attempt *attempt)
{
    struct val_txt_lookup *lookup = val_txt_of(attempt);
    int64_t until_s = -1; /* the longest of those that fit */
    for (size_t i = 0; i < val_question_records(&lookup->question); i++) {
        struct finding finding = find(lookup, i);
        if (finding.verdict == VAL_PERSIST_FITS && finding.until_s > until_s)
            until_s = finding.until_s;
    }
    if (until_s < 0)
        return refuse(lookup);
    attempt->validation->valid_until_ms = until_s < VAL_PERSIST_FOR_EVER ? until_s * 1000 : 0;
    return val_attempt_ok(attempt);
}

static enum val_turn ask(struct val_attempt *attempt)
{
    struct val_txt_lookup *lookup = val_txt_of(attempt);
    const struct validation *validation = attempt->validation;
    CHECK(validation->account_count > 0);
    if (validation->issuer_count == 0) /* it was offered when there was one */
        return val_attempt_fail(attempt, PROBLEM_UNAUTHORIZED,
                                "%s: this authority goes by no name any more that a record could give",
                                validation->identifier.value);
    snprintf(lookup->wanted, sizeof lookup->wanted, "%s; accounturi=%s%s", validation->issuers[0],
             validation->accounts[0], covers_more(validation) ? "; policy=wildcard" : "");
    return val_txt_ask(lookup, compare);
}

const struct val_method val_dnspersist01 = { sizeof(struct val_txt_lookup), ask, val_txt_drop };
