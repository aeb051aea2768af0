#include "validators/dns.h"

#include "validators/dns_look.h"
#include "validators/printable.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

struct val_dns {
    uv_loop_t *loop;
    const struct val_dns_plan *plan;
    pthread_mutex_t *setup; /* guards libunbound's globals while a context is made */
    struct val_deadlines waiting;
    struct val_deadlines unasked; /* could not be asked; told in the next turn of the loop */
    uv_poll_t poll;
    struct ub_ctx *ctx;      /* NULL until the first question */
    struct val_relay *relay; /* NULL without TLS, and until then */
    struct val_looks looks;
};

enum { CLASS_IN = 1, RCODE_SERVFAIL = 2, TROUBLE_SIZE = VAL_RELAY_WHY_SIZE + 32 };

/* Zones that libunbound would answer by itself although a test or private DNS may serve them. */
static const char *const builtin_zones[] = { "localhost.", "test.", "invalid.", "onion.", "home.arpa." };

static void deliver(struct val_question *question)
{
    question->under_way = false;
    question->ended_ms = uv_now(question->dns->loop);
    question->done(question);
}

/* What libunbound cannot know: behind the relay's door nobody could be reached. */
static const char *relay_trouble(const struct val_dns *dns, char out[static TROUBLE_SIZE])
{
    bool failed = dns->relay != NULL && val_relay_why(dns->relay)[0] != '\0';
    snprintf(out, TROUBLE_SIZE, failed ? " (DNS over TLS failed: %s)" : "%s", failed ? val_relay_why(dns->relay) : "");
    return out;
}

static void on_timeout(struct val_deadline *deadline)
{
    struct val_question *question = CONTAINER_OF(deadline, struct val_question, deadline);
    struct val_dns *dns = question->dns;
    char trouble[TROUBLE_SIZE];
    ub_cancel(dns->ctx, question->async_id);
    question->outcome = VAL_DNS_TIMEOUT;
    snprintf(question->why, sizeof question->why, "no answer within %llu ms%s",
             (unsigned long long)dns->waiting.after_ms, relay_trouble(dns, trouble));
    deliver(question);
}

static void on_unasked(struct val_deadline *deadline)
{
    deliver(CONTAINER_OF(deadline, struct val_question, deadline));
}

bool val_dns_open(uv_loop_t *loop, const struct val_dns_plan *plan, int64_t timeout_ms, int files_below,
                  pthread_mutex_t *setup, struct val_dns **out)
{
    struct val_dns *dns = calloc(1, sizeof *dns);
    TRY(dns != NULL);
    dns->loop = loop;
    dns->plan = plan;
    dns->setup = setup;
    val_deadlines_init(&dns->waiting, loop, timeout_ms, on_timeout);
    val_deadlines_init(&dns->unasked, loop, 0, on_unasked);
    val_looks_open(&dns->looks, loop, &plan->target, files_below);
    *out = dns;
    return true;
}

void val_dns_close(struct val_dns *dns)
{
    val_deadlines_close(&dns->waiting);
    val_deadlines_close(&dns->unasked);
    val_looks_close(&dns->looks);
    if (dns->ctx != NULL)
        uv_close((uv_handle_t *)&dns->poll, NULL);
    val_relay_close(dns->relay);
}

void val_dns_drop(struct val_dns *dns)
{
    if (dns == NULL)
        return;
    if (dns->ctx != NULL)
        ub_ctx_delete(dns->ctx);
    val_relay_drop(dns->relay);
    free(dns);
}

const char *val_dns_server(const struct val_dns *dns)
{
    return dns->plan->asked;
}

/* libunbound reads some settings from a named file only. */
static int configure(struct ub_ctx *ctx, const char *configuration)
{
    char name[32];
    ssize_t len = (ssize_t)strlen(configuration);
    int error = UB_READFILE, fd = memfd_create("unbound.conf", MFD_CLOEXEC);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, configuration, (size_t)len) == len)
        error = ub_ctx_config(ctx, name);
    if (fd >= 0)
        close(fd);
    return error;
}

static int forward_to_relay(struct val_dns *dns, struct ub_ctx *ctx)
{
    char text[VAL_ENDPOINT_SIZE];
    if (dns->relay == NULL && !val_relay_open(dns->loop, &dns->plan->target, &dns->relay))
        return UB_SOCKET;
    snprintf(text, sizeof text, "127.0.0.1@%u", val_relay_port(dns->relay));
    return ub_ctx_set_fwd(ctx, text);
}

static int set_up(struct val_dns *dns, struct ub_ctx *ctx)
{
    const struct val_dns_plan *plan = dns->plan;
    ub_ctx_debugout(ctx, NULL);
    int error = ub_ctx_async(ctx, true);
    if (error == 0)
        error = configure(ctx, plan->configuration);
    if (error == 0 && plan->resolv_conf)
        error = ub_ctx_resolvconf(ctx, NULL);
    if (error == 0 && plan->tls)
        error = forward_to_relay(dns, ctx);
    if (error == 0 && plan->trust_anchor != NULL)
        error = ub_ctx_add_ta_file(ctx, plan->trust_anchor);
    for (size_t i = 0; i < ARRAY_SIZE(builtin_zones) && error == 0; i++)
        error = ub_ctx_zone_remove(ctx, builtin_zones[i]);
    return error;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    const struct val_dns *dns = poll->data;
    ub_process(dns->ctx);
}

static int make_context(struct val_dns *dns)
{
    struct ub_ctx *ctx = ub_ctx_create();
    if (ctx == NULL)
        return UB_NOMEM;
    int error = set_up(dns, ctx);
    if (error == 0 && uv_poll_init(dns->loop, &dns->poll, ub_fd(ctx)) != 0)
        error = UB_SOCKET;
    if (error != 0) {
        ub_ctx_delete(ctx);
        return error;
    }
    dns->ctx = ctx;
    dns->poll.data = dns;
    CHECK(uv_poll_start(&dns->poll, UV_READABLE, on_readable) == 0);
    return 0;
}

static const struct {
    int code;
    const char *text;
} rcodes[] = {
    { 0, "NOERROR" },  { 1, "FORMERR" }, { RCODE_SERVFAIL, "SERVFAIL" },
    { 3, "NXDOMAIN" }, { 4, "NOTIMP" },  { 5, "REFUSED" },
};

void val_dns_rcode_text(int rcode, char out[static VAL_RCODE_SIZE])
{
    for (size_t i = 0; i < ARRAY_SIZE(rcodes); i++) {
        if (rcodes[i].code == rcode) {
            snprintf(out, VAL_RCODE_SIZE, "%s", rcodes[i].text);
            return;
        }
    }
    snprintf(out, VAL_RCODE_SIZE, "RCODE%d", rcode);
}

const char *val_dns_type_text(int type)
{
    return type == VAL_TYPE_A ? "A" : type == VAL_TYPE_AAAA ? "AAAA" : type == VAL_TYPE_CAA ? "CAA" : "TXT";
}

static void say(struct val_question *question, enum val_dns_outcome outcome, const char *what)
{
    question->outcome = outcome;
    snprintf(question->why, sizeof question->why, "%s", what);
}

static void judge(struct val_question *question, const struct ub_result *result)
{
    char text[VAL_DNS_WHY_SIZE - 40];
    question->rcode = result->rcode;
    question->secure = result->secure;
    question->bogus = result->bogus;
    if (result->bogus) {
        const char *why = result->why_bogus != NULL ? result->why_bogus : "no reason given";
        question->outcome = VAL_DNS_FAILED;
        val_printable_long(bytes_text(why), text, sizeof text);
        snprintf(question->why, sizeof question->why, "DNSSEC validation failed: %s", text);
    } else if (result->havedata) {
        question->outcome = VAL_DNS_RECORDS;
    } else if (result->nxdomain) {
        say(question, VAL_DNS_NO_NAME, "name does not exist (NXDOMAIN)");
    } else if (result->rcode == 0) {
        say(question, VAL_DNS_NO_DATA, "name exists, but has no such records (NOERROR)");
    } else {
        char rcode[VAL_RCODE_SIZE];
        val_dns_rcode_text(result->rcode, rcode);
        question->outcome = VAL_DNS_FAILED;
        /* libunbound says SERVFAIL for whatever its servers did */
        const char *trouble = relay_trouble(question->dns, text);
        if (trouble[0] == '\0' && result->rcode == RCODE_SERVFAIL)
            trouble = " (the zone's servers failed, refused or kept silent)";
        snprintf(question->why, sizeof question->why, "the answer is %s%s", rcode, trouble);
    }
}

static void on_reason(void *arg, const char *words)
{
    struct val_question *question = arg;
    char rcode[VAL_RCODE_SIZE];
    question->look = NULL;
    val_dns_rcode_text(question->rcode, rcode);
    if (words[0] != '\0')
        snprintf(question->why, sizeof question->why, "the answer is %s (%s)", rcode, words);
    deliver(question);
}

/* A server that was named is asked for the reason. */
static bool look_again(struct val_question *question)
{
    struct val_dns *dns = question->dns;
    if (question->outcome != VAL_DNS_FAILED || question->bogus || !dns->plan->forward || dns->plan->tls)
        return false;
    question->look = val_look_start(&dns->looks, question->name, question->type, on_reason, question);
    return question->look != NULL;
}

static void on_answer(void *arg, int error, struct ub_result *result)
{
    struct val_question *question = arg;
    val_deadline_remove(&question->deadline);
    question->asked = false;
    question->result = result;
    question->rcode = RCODE_SERVFAIL;
    if (error == 0)
        judge(question, result);
    else
        say(question, VAL_DNS_FAILED, ub_strerror(error));
    if (error != 0 || !look_again(question))
        deliver(question);
}

static int ask(struct val_dns *dns, struct val_question *question)
{
    int error = 0;
    if (dns->ctx == NULL) {
        pthread_mutex_lock(dns->setup);
        error = make_context(dns);
        pthread_mutex_unlock(dns->setup);
    }
    if (error == 0)
        error = ub_resolve_async(dns->ctx, question->name, question->type, CLASS_IN, question, on_answer,
                                 &question->async_id);
    return error;
}

void val_dns_ask(struct val_dns *dns, const char *name, int type, struct val_question *question)
{
    question->dns = dns;
    question->type = type;
    question->began_ms = uv_now(dns->loop);
    question->under_way = true;
    CHECK(strlen(name) < sizeof question->name);
    memcpy(question->name, name, strlen(name) + 1);
    int error = ask(dns, question);
    question->asked = error == 0;
    if (question->asked) {
        val_deadline_add(&dns->waiting, &question->deadline);
        return;
    }
    question->rcode = RCODE_SERVFAIL;
    say(question, VAL_DNS_FAILED, ub_strerror(error));
    val_deadline_add(&dns->unasked, &question->deadline);
}

void val_question_clear(struct val_question *question)
{
    if (question->under_way && question->asked)
        ub_cancel(question->dns->ctx, question->async_id);
    val_deadline_remove(&question->deadline);
    val_look_cancel(question->look);
    ub_resolve_free(question->result);
    *question = (struct val_question) { 0 };
}

size_t val_question_records(const struct val_question *question)
{
    size_t count = 0;
    if (question->outcome == VAL_DNS_RECORDS && question->result != NULL)
        while (question->result->data[count] != NULL)
            count++;
    return count;
}

struct bytes val_question_record(const struct val_question *question, size_t i)
{
    return bytes_of(question->result->data[i], (size_t)question->result->len[i]);
}

size_t val_txt_join(struct bytes rdata, uint8_t *out, size_t size)
{
    size_t total = 0;
    for (size_t at = 0; at < rdata.len && rdata.data[at] < rdata.len - at; at += 1 + (size_t)rdata.data[at]) {
        size_t len = rdata.data[at], room = total < size ? size - total : 0;
        memcpy(out + (total < size ? total : 0), rdata.data + at + 1, len < room ? len : room);
        total += len;
    }
    return total;
}
