/* DNS questions on a uv loop, answered by libunbound without any memory of earlier answers, so that each validation
 * sees what the zone says now. Everything runs on the loop's thread. The unbound context is made with the first
 * question: validations that dns.hosts answers never pay for it. */
#pragma once

#include "validators/deadlines.h"
#include "validators/dns_plan.h"

#include <pthread.h>

enum { VAL_TYPE_A = 1, VAL_TYPE_TXT = 16, VAL_TYPE_AAAA = 28, VAL_TYPE_CAA = 257 };
enum { VAL_DNS_WHY_SIZE = 480, VAL_RCODE_SIZE = 16 };

enum val_dns_outcome {
    VAL_DNS_RECORDS, /* at least one */
    VAL_DNS_NO_NAME, /* NXDOMAIN */
    VAL_DNS_NO_DATA, /* the name exists without records of that type */
    VAL_DNS_TIMEOUT, /* no answer within dns_timeout_ms */
    VAL_DNS_FAILED,  /* another response code, bogus, or no way to ask */
    VAL_DNS_OUTCOMES
};

struct ub_result;
struct val_look;
struct val_dns;
struct val_question {
    /* asked; the name is copied */
    char name[IDENTIFIER_MAX_BYTES + 40]; /* room for labels in front, which DNS then refuses as too long */
    int type;
    void (*done)(struct val_question *question);
    void *arg;
    /* answered; records live until val_question_clear */
    enum val_dns_outcome outcome;
    struct ub_result *result; /* NULL unless a response came */
    int rcode;
    bool secure, bogus;
    uint64_t began_ms, ended_ms; /* of uv_now */
    char why[VAL_DNS_WHY_SIZE];  /* unless there are records: what came back */
    /* of the resolver */
    struct val_dns *dns;
    struct val_deadline deadline;
    struct val_look *look; /* for the reason of a failure */
    int async_id;
    bool under_way, asked;
};

/* `setup` serialises the making of contexts among threads: libunbound sets globals of its own there. */
MUST_USE bool val_dns_open(uv_loop_t *loop, const struct val_dns_plan *plan, int64_t timeout_ms, int files_below,
                           pthread_mutex_t *setup, struct val_dns **out);
void val_dns_close(struct val_dns *dns); /* ends its handles; all questions must be cleared before */
void val_dns_drop(struct val_dns *dns);  /* frees it, after the loop has run its close callbacks */
DEFINE_DROP(val_dns, val_dns_drop)

/* done is called from the loop, never from inside here. */
void val_dns_ask(struct val_dns *dns, const char *name, int type, struct val_question *question);
void val_question_clear(struct val_question *question); /* cancels and frees; nothing on a zeroed question */
size_t val_question_records(const struct val_question *question);
struct bytes val_question_record(const struct val_question *question, size_t i);
/* The strings of a TXT record's data, joined (RFC 8555 §8.4): copies at most `size` bytes, returns the whole length.
 * What does not end where its length byte says is left out. */
size_t val_txt_join(struct bytes rdata, uint8_t *out, size_t size);
const char *val_dns_server(const struct val_dns *dns); /* whom we ask, for details */
const char *val_dns_type_text(int type);
void val_dns_rcode_text(int rcode, char out[static VAL_RCODE_SIZE]);
