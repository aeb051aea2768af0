#include "server/protocol/terms.h"

#include "server/caraway.h"
#include "server/web/page.h"
#include "server/web/payload.h"

static const char *terms_in_force(const struct request *rq)
{
    const char *terms = rq->caraway->settings->terms_of_service;
    return terms[0] != '\0' ? terms : NULL;
}

bool terms_read(struct request *rq, struct account *account)
{
    const char *terms = terms_in_force(rq);
    bool agreed = false;
    TRY(payload_flag(rq, "termsOfServiceAgreed", &agreed));
    account->terms_agreed_ms = agreed ? rq->now_ms : 0;
    account->terms = agreed ? terms : NULL;
    if (terms == NULL || agreed)
        return true;
    reply_link(rq, "terms-of-service", terms);
    problem_fail(&rq->problem, PROBLEM_USER_ACTION_REQUIRED,
                 "Agree to the terms of service at %s: send \"termsOfServiceAgreed\": true", terms);
    rq->problem.instance = terms;
    return false;
}

bool terms_check(struct request *rq)
{
    const char *terms = terms_in_force(rq);
    const char *agreed = rq->account.terms;
    if (!rq->caraway->settings->terms_of_service_enforced || terms == NULL ||
        (agreed != NULL && strcmp(agreed, terms) == 0))
        return true;
    const char *page = page_url(rq, PAGE_AGREE);
    if (page == NULL)
        return problem_out_of_memory(&rq->problem);
    reply_link(rq, "terms-of-service", terms);
    problem_fail(&rq->problem, PROBLEM_USER_ACTION_REQUIRED, "The terms of service have changed; read and agree at %s",
                 page);
    rq->problem.instance = page;
    return false;
}

bool terms_page_get(struct request *rq)
{
    const char *account;
    const char *terms = terms_in_force(rq);
    TRY(page_account(rq, PAGE_AGREE, &account));
    page_reply(
        rq, "Terms of service",
        "<p>Account <code>%s</code> agreed to other terms than those in force, which are at <a href=\"%s\">%s</a>."
        "</p><form method=\"post\"><button>I have read them and agree</button></form>",
        account, terms != NULL ? terms : "", terms != NULL ? terms : "");
    return true;
}

static bool store_agreement(struct store_txn *txn, struct request *rq)
{
    struct account account;
    if (!store_get_account(txn, rq->arena, rq->state, &account) || account.state != ACCOUNT_VALID)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "The account is no longer valid");
    account.terms = terms_in_force(rq);
    account.terms_agreed_ms = rq->now_ms;
    store_put_account(txn, &account);
    return true;
}

static bool after_agreement(struct request *rq)
{
    page_reply(rq, "Agreed", "<p>Account <code>%s</code> can order certificates again.</p>", (const char *)rq->state);
    return true;
}

bool terms_page_post(struct request *rq)
{
    const char *account;
    TRY(page_account(rq, PAGE_AGREE, &account));
    rq->state = (void *)account;
    request_submit(rq, store_agreement, after_agreement);
    return true;
}
