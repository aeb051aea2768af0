#include "server/policy/approval.h"

#include "server/webhook/outbound.h"

enum { QUESTION_MAX_BYTES = 512 * 1024, SENTENCE_MAX_BYTES = 300, OK = 200 };

struct approval {
    struct outbound_post post;
};

static void write_optional(struct json_out *out, const char *key, const char *text)
{
    if (text != NULL)
        json_out_text(out, key, text);
}

static void write_question(struct json_out *out, const struct request *rq, const struct order *order)
{
    json_out_object(out, NULL);
    json_out_text(out, "event", "order.requested");
    json_out_text(out, "order", order->id);
    json_out_text(out, "account", order->account);
    write_optional(out, "owner", rq->account.owner);
    write_optional(out, "external_key", rq->account.external_key);
    json_out_text(out, "peer", rq->peer);
    json_out_text(out, "profile", order->profile);
    json_out_array(out, "identifiers");
    for (size_t i = 0; i < order->identifiers.count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "type", identifier_type_text(order->identifiers.items[i].type));
        json_out_text(out, "value", order->identifiers.items[i].value);
        json_out_end_object(out);
    }
    json_out_end_array(out);
    if (order->not_before_ms != 0)
        json_out_time(out, "not_before", order->not_before_ms);
    if (order->not_after_ms != 0)
        json_out_time(out, "not_after", order->not_after_ms);
    json_out_end_object(out);
}

static void answered(struct outbound_post *post)
{
    request_resume(post->arg);
}

bool approval_ask(struct request *rq, const struct order *order, request_handler *after, struct approval **out)
{
    const struct settings *settings = rq->caraway->settings;
    struct approval *approval = arena_alloc(rq->arena, sizeof *approval);
    AUTO_BUF(question, QUESTION_MAX_BYTES);
    struct json_out json = JSON_OUT(&question, 0);
    write_question(&json, rq, order);
    const char *body = question.failed ? NULL : arena_text(rq->arena, buf_str(&question));
    if (approval == NULL || body == NULL)
        return problem_out_of_memory(&rq->problem);
    approval->post = (struct outbound_post) {
        .url = settings->policy_approval_url,
        .id = order->id,
        .body = bytes_text(body),
        .timeout_ms = settings->policy_approval_timeout_ms,
        .done = answered,
        .arg = rq,
    };
    *out = approval;
    request_wait(rq, after);
    outbound_submit(rq->caraway->outbound, &approval->post);
    return true;
}

static bool fail_without_answer(struct request *rq, const char *why)
{
    bool open = strcmp(rq->caraway->settings->policy_approval_failure, "open") == 0;
    log_event(rq->caraway->log, LOG_APPROVAL_FAILED, LOG_TEXT("account", rq->account.id),
              LOG_TEXT("owner", rq->account.owner), LOG_TEXT("cause", why), LOG_BOOL("allowed", open));
    return open || problem_fail_status(&rq->problem, PROBLEM_SERVER_INTERNAL, 503,
                                       "Orders need an approval that cannot be had at the moment; try again later");
}

static bool refuse(struct request *rq, const json_t *answer)
{
    const char *sentence = json_member_text(answer, "detail");
    if (sentence == NULL || sentence[0] == '\0' || strlen(sentence) > SENTENCE_MAX_BYTES)
        problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "The order was not approved");
    else
        problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "The order was not approved: %s", sentence);
    snprintf(rq->problem.cause, sizeof rq->problem.cause, "policy: policy.approval-url");
    return false;
}

bool approval_verdict(struct request *rq, const struct approval *approval)
{
    char why[JSON_WHY_SIZE];
    const struct outbound_post *post = &approval->post;
    if (post->status == 0)
        return fail_without_answer(rq, post->why);
    AUTO_TYPE(json_t) answer = json_read_object(buf_bytes(&post->answer), why);
    const json_t *allow = json_object_get(answer, "allow");
    if (post->status != OK || !json_is_boolean(allow))
        return fail_without_answer(rq, "the answer is not status 200 with {\"allow\": true or false}");
    return json_is_true(allow) || refuse(rq, answer);
}

void approval_release(struct approval *approval)
{
    if (approval != NULL)
        outbound_clear(&approval->post);
}
