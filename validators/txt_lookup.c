#include "validators/txt_lookup.h"

#include "validators/worker.h"

struct val_txt_lookup *val_txt_of(struct val_attempt *attempt)
{
    CHECK(attempt->method->drop == val_txt_drop);
    return (struct val_txt_lookup *)attempt;
}

const char *val_txt_server(const struct val_txt_lookup *lookup)
{
    return val_dns_server(lookup->attempt.worker->dns);
}

/* draft-ietf-acme-dns-account-label-03 §3.4: whose label stood in the name that was not found. */
static void say_account(const struct validation *validation, struct buf *out)
{
    if (validation->type == CHALLENGE_DNS_ACCOUNT_01)
        buf_printf(out, "; the label is that of the account %s", validation->account_url);
}

static enum val_turn answered(struct val_attempt *attempt)
{
    struct val_txt_lookup *lookup = val_txt_of(attempt);
    const struct val_question *question = &lookup->question;
    const char *server = val_txt_server(lookup);
    if (attempt->timed_out)
        return val_attempt_fail(attempt, PROBLEM_DNS,
                                "TXT %s: no answer in the time for the whole validation, asked %s", lookup->name,
                                server);
    if (question->outcome == VAL_DNS_RECORDS)
        return lookup->judge(attempt);
    AUTO_BUF(account, PROBLEM_DETAIL_SIZE);
    say_account(attempt->validation, &account);
    if (question->outcome == VAL_DNS_NO_DATA)
        return val_attempt_fail(attempt, PROBLEM_UNAUTHORIZED, "TXT %s: %s, asked %s; one record should be \"%s\"%s",
                                lookup->name, question->why, server, lookup->wanted, buf_str(&account));
    return val_attempt_fail(attempt, PROBLEM_DNS, "TXT %s: %s, asked %s%s", lookup->name, question->why, server,
                            buf_str(&account));
}

static void on_answer(struct val_question *question)
{
    struct val_attempt *attempt = question->arg;
    val_trace_question(attempt, question);
    val_attempt_run(attempt);
}

enum val_turn val_txt_ask(struct val_txt_lookup *lookup, val_step *judge)
{
    const struct validation *validation = lookup->attempt.validation;
    AUTO_BUF(name, CHALLENGE_TXT_NAME_MAX);
    challenge_txt_name(&name, validation->type, &validation->identifier, validation->account_url);
    if (name.failed)
        return val_attempt_internal(&lookup->attempt, "TXT lookup: out of memory");
    memcpy(lookup->name, buf_str(&name), name.len + 1);
    lookup->judge = judge;
    lookup->question.done = on_answer;
    lookup->question.arg = &lookup->attempt;
    val_dns_ask(lookup->attempt.worker->dns, lookup->name, VAL_TYPE_TXT, &lookup->question);
    return val_attempt_then(&lookup->attempt, answered, VAL_WAIT);
}

void val_txt_drop(struct val_attempt *attempt)
{
    val_question_clear(&val_txt_of(attempt)->question);
}
