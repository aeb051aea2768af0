/* dns-01 (RFC 8555 §8.4): a TXT record at _acme-challenge.NAME holds the digest of the key authorization. CNAMEs on the
 * way are the resolver's business. */
#include "validators/locate.h"
#include "validators/printable.h"
#include "validators/worker.h"

#include "base/encode.h"

#include <stdio.h>

#define LABEL "_acme-challenge."
enum { VALUE_BYTES = B64URL_LEN(SHA256_BYTES), NAME_SIZE = sizeof LABEL + IDENTIFIER_MAX_BYTES };

struct dns01 {
    struct val_attempt attempt;
    struct val_question question;
    char name[NAME_SIZE];
    char expected[VALUE_BYTES + 1];
};

static struct dns01 *of(struct val_attempt *attempt)
{
    CHECK(attempt->method == &val_dns01);
    return (struct dns01 *)attempt;
}

static enum val_turn refuse(struct dns01 *dns)
{
    uint8_t joined[VAL_SHOWN_BYTES + 1];
    char shown[VAL_SHOWN_SIZE], more[40] = "";
    size_t count = val_question_records(&dns->question);
    size_t len = val_txt_join(val_question_record(&dns->question, 0), joined, sizeof joined);
    val_printable(bytes_of(joined, len < sizeof joined ? len : sizeof joined), shown);
    if (count > 1)
        snprintf(more, sizeof more, " (and %zu more)", count - 1);
    return val_attempt_fail(&dns->attempt, PROBLEM_UNAUTHORIZED,
                            "TXT %s: found \"%s\"%s, asked %s; one record should be \"%s\"", dns->name, shown, more,
                            val_dns_server(dns->attempt.worker->dns), dns->expected);
}

static enum val_turn compare(struct dns01 *dns)
{
    for (size_t i = 0; i < val_question_records(&dns->question); i++) {
        uint8_t joined[VALUE_BYTES];
        size_t len = val_txt_join(val_question_record(&dns->question, i), joined, sizeof joined);
        if (len == sizeof joined && memcmp(joined, dns->expected, len) == 0)
            return val_attempt_ok(&dns->attempt);
    }
    return refuse(dns);
}

static enum val_turn judge(struct val_attempt *attempt)
{
    struct dns01 *dns = of(attempt);
    const struct val_question *question = &dns->question;
    const char *server = val_dns_server(attempt->worker->dns);
    if (attempt->timed_out)
        return val_attempt_fail(attempt, PROBLEM_DNS,
                                "TXT %s: no answer in the time for the whole validation, asked %s", dns->name, server);
    if (question->outcome == VAL_DNS_RECORDS)
        return compare(dns);
    if (question->outcome == VAL_DNS_NO_DATA)
        return val_attempt_fail(attempt, PROBLEM_UNAUTHORIZED, "TXT %s: %s, asked %s; one record should be \"%s\"",
                                dns->name, question->why, server, dns->expected);
    return val_attempt_fail(attempt, PROBLEM_DNS, "TXT %s: %s, asked %s", dns->name, question->why, server);
}

static void on_answer(struct val_question *question)
{
    struct val_attempt *attempt = question->arg;
    val_trace_question(attempt, question);
    val_attempt_run(attempt);
}

static enum val_turn ask(struct val_attempt *attempt)
{
    struct dns01 *dns = of(attempt);
    uint8_t digest[SHA256_BYTES];
    AUTO_BUF(value, VALUE_BYTES);
    crypto_digest_sha256(bytes_text(attempt->validation->key_authorization), digest);
    buf_b64url(&value, bytes_of(digest, sizeof digest));
    if (value.failed)
        return val_attempt_internal(attempt, "dns-01: out of memory");
    memcpy(dns->expected, value.data, sizeof dns->expected);
    snprintf(dns->name, sizeof dns->name, LABEL "%s", attempt->validation->identifier.value);
    dns->question.done = on_answer;
    dns->question.arg = attempt;
    val_dns_ask(attempt->worker->dns, dns->name, VAL_TYPE_TXT, &dns->question);
    return val_attempt_then(attempt, judge, VAL_WAIT);
}

static void drop(struct val_attempt *attempt)
{
    val_question_clear(&of(attempt)->question);
}

const struct val_method val_dns01 = { sizeof(struct dns01), ask, drop };
