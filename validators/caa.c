#include "validators/caa.h"

#include "validators/caa_policy.h"
#include "validators/locate.h"
#include "validators/worker.h"

#include <stdarg.h>
#include <stdio.h>

struct val_caa {
    size_t count;                    /* labels of the name */
    struct val_question questions[]; /* the name first, its top-level domain last */
};

static enum val_turn pass(struct val_attempt *attempt)
{
    attempt->validation->ok = true;
    return VAL_DONE;
}

static void trace_verdict(struct val_attempt *attempt, const char *found_at, const char *verdict, const char *why)
{
    uint64_t now = val_attempt_now(attempt);
    struct json_out *out = val_trace_step(&attempt->trace, "caa", now, now);
    if (found_at != NULL)
        json_out_text(out, "name", found_at);
    json_out_text(out, "verdict", verdict);
    if (why != NULL)
        json_out_text(out, "why", why);
    val_trace_end(&attempt->trace);
}

/* caa.mode warn lets it pass, but says the same. */
static enum val_turn PRINTF_LIKE(4, 5)
    refuse(struct val_attempt *attempt, enum acme_problem_type type, const char *found_at, const char *detail, ...)
{
    struct validation *validation = attempt->validation;
    char text[PROBLEM_DETAIL_SIZE];
    va_list args;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    validation->ok = problem_fail(&validation->problem, type, "%s", text);
    validation->warned = attempt->worker->shared->options.caa_mode == CAA_WARN;
    trace_verdict(attempt, found_at, validation->warned ? "warned" : "refused", text);
    return validation->warned ? pass(attempt) : VAL_DONE;
}

static const char *prefix(const struct validation *validation)
{
    return validation->wildcard ? "*." : "";
}

static enum val_turn decide(struct val_attempt *attempt, const struct val_question *question)
{
    char why[VAL_CAA_WHY_SIZE];
    const struct validation *validation = attempt->validation;
    const struct val_caa_wish wish = { validation->issuers, validation->issuer_count, validation->wildcard,
                                       validation->account_url, challenge_type_text(validation->type) };
    size_t count = val_question_records(question);
    struct bytes *records = calloc(count, sizeof *records);
    if (records == NULL)
        return val_attempt_internal(attempt, "CAA: out of memory");
    for (size_t i = 0; i < count; i++)
        records[i] = val_question_record(question, i);
    bool allowed = val_caa_allows(records, count, &wish, why);
    free(records);
    if (!allowed)
        return refuse(
            attempt, PROBLEM_CAA, question->name,
            "CAA record at %s prevents issuance for %s%s: %s; asked %s; this authority is named by 0 %s \"%s\"",
            question->name, prefix(validation), validation->identifier.value, why, val_dns_server(attempt->worker->dns),
            validation->wildcard ? "issuewild" : "issue",
            validation->issuer_count > 0 ? validation->issuers[0] : "a name from caa-identities");
    trace_verdict(attempt, question->name, "allowed", NULL);
    return pass(attempt);
}

static enum val_turn unanswered(struct val_attempt *attempt, const struct val_question *question)
{
    const struct validation *validation = attempt->validation;
    const char *why = question->under_way ? "no answer in the time for the whole validation" : question->why;
    return refuse(attempt, PROBLEM_DNS, question->name,
                  "CAA %s: %s, asked %s; without that answer it is not known whether CAA allows %s%s", question->name,
                  why, val_dns_server(attempt->worker->dns), prefix(validation), validation->identifier.value);
}

/* As soon as the nearest answers say enough, those from further up are not waited for. */
static enum val_turn judge(struct val_attempt *attempt)
{
    const struct val_caa *caa = attempt->caa;
    for (size_t i = 0; i < caa->count; i++) {
        const struct val_question *question = &caa->questions[i];
        if (question->under_way)
            return attempt->timed_out ? unanswered(attempt, question) : VAL_WAIT;
        if (question->outcome == VAL_DNS_RECORDS)
            return decide(attempt, question);
        if (question->outcome != VAL_DNS_NO_NAME && question->outcome != VAL_DNS_NO_DATA)
            return unanswered(attempt, question);
    }
    trace_verdict(attempt, NULL, "no records", NULL);
    return pass(attempt);
}

static void on_answer(struct val_question *question)
{
    struct val_attempt *attempt = question->arg;
    val_trace_question(attempt, question);
    val_attempt_run(attempt);
}

static enum val_turn ask(struct val_attempt *attempt)
{
    const char *name = attempt->validation->identifier.value;
    size_t labels = 1;
    for (const char *p = name; *p != '\0'; p++)
        labels += *p == '.';
    attempt->caa = calloc(1, sizeof *attempt->caa + labels * sizeof attempt->caa->questions[0]);
    if (attempt->caa == NULL)
        return val_attempt_internal(attempt, "CAA: out of memory");
    attempt->caa->count = labels;
    for (size_t i = 0; i < labels; i++) {
        struct val_question *question = &attempt->caa->questions[i];
        question->done = on_answer;
        question->arg = attempt;
        val_dns_ask(attempt->worker->dns, name, VAL_TYPE_CAA, question);
        name = i + 1 < labels ? strchr(name, '.') + 1 : name;
    }
    return val_attempt_then(attempt, judge, VAL_WAIT);
}

enum val_turn val_caa_check(struct val_attempt *attempt)
{
    const struct val_address *addresses;
    size_t count;
    const struct val_shared *shared = attempt->worker->shared;
    const struct acme_identifier *identifier = &attempt->validation->identifier;
    if (shared->options.caa_mode == CAA_OFF || identifier->type != IDENTIFIER_DNS ||
        val_hosts_find(shared->hosts, identifier->value, &addresses, &count))
        return pass(attempt);
    return ask(attempt);
}

void val_caa_drop(struct val_attempt *attempt)
{
    for (size_t i = 0; attempt->caa != NULL && i < attempt->caa->count; i++)
        val_question_clear(&attempt->caa->questions[i]);
    free(TAKE(attempt->caa));
}
