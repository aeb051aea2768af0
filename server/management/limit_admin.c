#include "server/management/limit_admin.h"

#include "server/caraway.h"
#include "server/limits/limit_rules.h"
#include "server/limits/limit_subject.h"
#include "server/limits/pause.h"
#include "server/web/payload.h"

enum { OVERRIDES_PER_PAGE = 1000, ASKS_PER_NAME = 6, ASKS_BESIDE = 2 };

/* ---- what a subject would spend */

struct wanted {
    const char *account; /* or NULL */
    enum limit_class class;
    struct identifiers names;
    struct limit_asks asks;
    size_t resumed_now, resumed; /* names that were paused: by the last job, by all */
};

static bool add(struct wanted *wanted, enum limit limit, const char *subject, const char *shown)
{
    TRY(subject != NULL);
    for (size_t i = 0; i < wanted->asks.count; i++) {
        const struct limit_ask *known = &wanted->asks.items[i];
        if (known->limit == limit && strcmp(known->subject, subject) == 0)
            return true;
    }
    wanted->asks.items[wanted->asks.count++] = (struct limit_ask) { limit, subject, shown, wanted->class };
    return true;
}

static bool add_caller(struct arena *arena, struct wanted *wanted, const char *address)
{
    TRY(add(wanted, LIMIT_ACCOUNTS_PER_ADDRESS, limit_caller(arena, address, CALLER_BITS), NULL));
    return strchr(address, ':') == NULL ||
           add(wanted, LIMIT_ACCOUNTS_PER_NETWORK, limit_caller(arena, address, CALLER_NETWORK_BITS), NULL);
}

static bool add_name(struct arena *arena, struct wanted *wanted, const struct acme_identifier *name)
{
    const char *account = wanted->account;
    if (name->type == IDENTIFIER_IP)
        TRY(add_caller(arena, wanted, name->value));
    TRY(add(wanted, LIMIT_CERTIFICATES_PER_DOMAIN, limit_domain(arena, name), NULL));
    if (account == NULL)
        return true;
    const char *own = limit_account_name(arena, account, name);
    return add(wanted, LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, limit_account_domain(arena, account, name), NULL) &&
           add(wanted, LIMIT_FAILURES_PER_NAME, own, NULL) && add(wanted, LIMIT_FAILURES_BEFORE_PAUSE, own, NULL);
}

static bool add_all(struct arena *arena, struct wanted *wanted)
{
    const struct identifiers *names = &wanted->names;
    wanted->asks.items = arena_array(arena, names->count * ASKS_PER_NAME + ASKS_BESIDE, sizeof(struct limit_ask));
    TRY(wanted->asks.items != NULL);
    if (wanted->account != NULL)
        TRY(add(wanted, LIMIT_ORDERS_PER_ACCOUNT, wanted->account, NULL));
    for (size_t i = 0; i < names->count; i++)
        TRY(add_name(arena, wanted, &names->items[i]));
    if (names->count == 0)
        return true;
    const char *shown = limit_set_shown(arena, names);
    return shown != NULL && add(wanted, LIMIT_CERTIFICATES_PER_SET, store_subject_of_set(arena, names), shown);
}

static bool is_account(struct store_txn *txn, struct arena *arena, const char *id)
{
    struct account account;
    return store_get_account(txn, arena, id, &account);
}

static bool read_wanted(struct request *rq, struct store_txn *txn, const char *subject, const char *account,
                        struct wanted *out)
{
    char why[IDENTIFIER_WHY_SIZE];
    struct wanted wanted = { .account = account };
    if (subject == NULL || subject[0] == '\0')
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "A \"subject\" is needed: names, addresses or an account");
    if (account != NULL && !is_account(txn, rq->arena, account))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no account \"%.100s\"", account);
    if (account == NULL && is_account(txn, rq->arena, subject))
        wanted.account = subject;
    else if (!limit_names_read(rq->arena, subject, &wanted.names, why))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%.100s\" is no account and no name: %s", subject, why);
    if (wanted.account != NULL)
        wanted.class = limit_class_of_account(txn, wanted.account);
    *out = wanted;
    return add_all(rq->arena, out) || problem_out_of_memory(&rq->problem);
}

/* ---- what is left */

/* The first whole second from which on it is so. */
static void write_moment(struct json_out *out, const char *key, int64_t us)
{
    json_out_time(out, key, (us + 999999) / 1000000 * 1000);
}

static void write_bucket(struct request *rq, struct store_txn *txn, struct json_out *out, const struct limit_ask *ask)
{
    const struct limits *limits = rq->caraway->limits;
    struct rate rate = limit_rate(limits, ask);
    struct rate_verdict now = limit_look(limits, txn, rq->arena, ask, rq->now_ms, 0);
    struct rate_verdict next = limit_look(limits, txn, rq->arena, ask, rq->now_ms, 1);
    char text[RATE_TEXT_SIZE];
    rate_text(&rate, text);
    json_out_object(out, NULL);
    json_out_text(out, "limit", limit_name(ask->limit));
    json_out_text(out, "subject", ask->shown != NULL ? ask->shown : ask->subject);
    json_out_text(out, "rate", text);
    json_out_bool(out, "overridden", limit_is_overridden(limits, ask->limit, ask->subject));
    if (rate.count > 0) {
        json_out_int(out, "remaining", now.remaining);
        json_out_int(out, "retry_after_s", (next.retry_in_us + 999999) / 1000000);
        if (!next.allowed)
            write_moment(out, "next", rq->now_ms * 1000 + next.retry_in_us);
        if (now.remaining < rate.count)
            write_moment(out, "full", now.tat_us);
    }
    json_out_end_object(out);
}

void limit_write_buckets(struct request *rq, struct store_txn *txn, struct json_out *out, const char *key,
                         const struct limit_asks *asks)
{
    json_out_array(out, key);
    for (size_t i = 0; i < asks->count; i++)
        write_bucket(rq, txn, out, &asks->items[i]);
    json_out_end_array(out);
}

bool limits_get(struct request *rq)
{
    struct wanted wanted;
    struct texts paused;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading limits");
    TRY(read_wanted(rq, txn, request_argument(rq, "subject"), request_argument(rq, "account"), &wanted));
    TRY(pause_list(txn, rq, wanted.account, &paused));
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    limit_write_buckets(rq, txn, &out, "limits", &wanted.asks);
    json_out_array(&out, "paused");
    for (size_t i = 0; i < paused.count; i++)
        json_out_text(&out, NULL, paused.items[i]);
    json_out_end_array(&out);
    json_out_end_object(&out);
    return true;
}

/* ---- giving back */

static bool store_reset(struct store_txn *txn, struct request *rq)
{
    struct wanted *wanted = rq->state;
    const char *subject = json_member_text(rq->payload, "subject");
    TRY(read_wanted(rq, txn, subject, json_member_text(rq->payload, "account"), wanted));
    for (size_t i = 0; i < wanted->asks.count; i++) {
        const char *id = limit_bucket_id(rq->arena, wanted->asks.items[i].limit, wanted->asks.items[i].subject);
        if (id == NULL)
            return problem_out_of_memory(&rq->problem);
        store_delete_rate_bucket(txn, id);
    }
    return wanted->account == NULL || pause_resume(txn, rq, wanted->account, &wanted->resumed_now);
}

static bool store_resume_more(struct store_txn *txn, struct request *rq)
{
    struct wanted *wanted = rq->state;
    return pause_resume(txn, rq, wanted->account, &wanted->resumed_now);
}

static bool after_reset(struct request *rq)
{
    struct wanted *wanted = rq->state;
    wanted->resumed += wanted->resumed_now;
    if (wanted->resumed_now == PAUSE_RESUMED_AT_ONCE) {
        request_submit(rq, store_resume_more, after_reset);
        return true;
    }
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading limits");
    log_event(rq->caraway->log, LOG_LIMIT_RESET, LOG_TEXT("subject", json_member_text(rq->payload, "subject")),
              LOG_TEXT("account", wanted->account));
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    limit_write_buckets(rq, txn, &out, "limits", &wanted->asks);
    json_out_int(&out, "resumed", (int64_t)wanted->resumed);
    json_out_end_object(&out);
    return true;
}

bool limits_reset_post(struct request *rq)
{
    rq->state = arena_alloc(rq->arena, sizeof(struct wanted));
    if (rq->state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(payload_read(rq));
    request_submit(rq, store_reset, after_reset);
    return true;
}

/* ---- overrides */

static void write_override(struct json_out *out, const struct rate_override *override)
{
    json_out_object(out, NULL);
    json_out_text(out, "limit", override->limit);
    json_out_text(out, "subject", override->subject);
    json_out_text(out, "rate", override->rate);
    json_out_time(out, "created", override->created_ms);
    if (override->comment != NULL)
        json_out_text(out, "comment", override->comment);
    json_out_end_object(out);
}

bool limit_overrides_get(struct request *rq)
{
    struct store_page page;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "listing");
    if (!store_list_all(txn, rq->arena, RECORD_rate_override, request_argument(rq, "after"), OVERRIDES_PER_PAGE, false,
                        &page))
        return problem_from_list(rq, txn);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_array(&out, "overrides");
    for (size_t i = 0; i < page.ids.count; i++) {
        struct rate_override override;
        if (store_get_rate_override(txn, rq->arena, page.ids.items[i], &override))
            write_override(&out, &override);
    }
    json_out_end_array(&out);
    if (page.next != NULL)
        json_out_text(&out, "next", page.next);
    json_out_end_object(&out);
    return true;
}

/* The override's id, limit and canonical subject. */
static bool read_key(struct request *rq, const char *name, const char *subject, struct rate_override *out)
{
    enum limit limit;
    char why[LIMIT_WHY_SIZE];
    if (name == NULL || subject == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "An override has a \"limit\" and a \"subject\"");
    if (!limit_from_name(name, &limit))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "There is no limit \"%.60s\"; they are named as in %s",
                            name, "the settings, without \"limits.\"");
    if (!limit_subject_read(rq->arena, limit, subject, &out->subject, why))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "%s", why);
    out->limit = limit_name(limit);
    out->id = limit_bucket_id(rq->arena, limit, out->subject);
    if (out->id == NULL)
        return problem_out_of_memory(&rq->problem);
    if (limit_whose(limit) == LIMIT_OF_SET)
        out->comment = subject; /* a hash says nothing to people */
    return true;
}

static bool read_override(struct request *rq, struct rate_override *out)
{
    const char *name = NULL, *subject = NULL, *rate = NULL;
    struct rate unused;
    TRY(payload_read(rq));
    TRY(payload_text(rq, "limit", &name) && payload_text(rq, "subject", &subject) && payload_text(rq, "rate", &rate));
    TRY(read_key(rq, name, subject, out));
    TRY(payload_text(rq, "comment", &out->comment));
    if (rate == NULL || !rate_read(rate, &unused))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The \"rate\" must be COUNT/PERIOD, as 300/3h, or off");
    out->rate = rate;
    out->created_ms = rq->now_ms;
    return true;
}

static bool reload(struct request *rq)
{
    return limits_reload(rq->caraway->limits) || problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading overrides");
}

/* Subjects of what counts by account begin with its id. */
static enum limit_class class_of_subject(struct store_txn *txn, struct request *rq, enum limit limit,
                                         const char *subject)
{
    if (!limit_is_of_account(limit))
        return LIMIT_CLASS_SERVER;
    const char *account = arena_text_of(rq->arena, bytes_of(subject, strcspn(subject, "/")));
    if (account == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    return account != NULL ? limit_class_of_account(txn, account) : LIMIT_CLASS_SERVER;
}

static void convert(struct store_txn *txn, struct request *rq, const struct rate_override *override, bool removed)
{
    const struct limits *limits = rq->caraway->limits;
    struct limit_ask ask = { .subject = override->subject };
    struct rate rate;
    CHECK(limit_from_name(override->limit, &ask.limit));
    ask.class = class_of_subject(txn, rq, ask.limit, ask.subject);
    if (removed || !rate_read(override->rate, &rate))
        rate = limit_common_rate(limits, ask.limit, ask.class);
    limit_convert(limits, txn, rq->arena, rq->now_ms, &ask, &rate);
}

static bool store_override(struct store_txn *txn, struct request *rq)
{
    convert(txn, rq, rq->state, false);
    store_put_rate_override(txn, rq->state);
    return true;
}

static bool after_override(struct request *rq)
{
    const struct rate_override *override = rq->state;
    TRY(reload(rq));
    log_event(rq->caraway->log, LOG_LIMIT_OVERRIDDEN, LOG_TEXT("limit", override->limit),
              LOG_TEXT("subject", override->subject), LOG_TEXT("rate", override->rate));
    struct json_out out = reply_json(rq, 201);
    write_override(&out, override);
    return true;
}

bool limit_override_post(struct request *rq)
{
    struct rate_override *override = arena_alloc(rq->arena, sizeof *override);
    if (override == NULL)
        return problem_out_of_memory(&rq->problem);
    *override = (struct rate_override) { 0 };
    TRY(read_override(rq, override));
    rq->state = override;
    request_submit(rq, store_override, after_override);
    return true;
}

static bool store_removal(struct store_txn *txn, struct request *rq)
{
    struct rate_override *override = rq->state;
    const char *subject = override->subject;
    if (!store_get_rate_override(txn, rq->arena, override->id, override))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no override of %s for %s",
                                   override->limit, subject);
    convert(txn, rq, override, true);
    store_delete_rate_override(txn, override->id);
    return true;
}

static bool after_removal(struct request *rq)
{
    const struct rate_override *override = rq->state;
    TRY(reload(rq));
    log_event(rq->caraway->log, LOG_LIMIT_RESTORED, LOG_TEXT("limit", override->limit),
              LOG_TEXT("subject", override->subject));
    struct json_out out = reply_json(rq, 200);
    write_override(&out, override);
    return true;
}

bool limit_override_delete(struct request *rq)
{
    struct rate_override *override = arena_alloc(rq->arena, sizeof *override);
    if (override == NULL)
        return problem_out_of_memory(&rq->problem);
    *override = (struct rate_override) { 0 };
    TRY(read_key(rq, request_argument(rq, "limit"), request_argument(rq, "subject"), override));
    rq->state = override;
    request_submit(rq, store_removal, after_removal);
    return true;
}
