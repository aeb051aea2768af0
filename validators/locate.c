#include "validators/locate.h"

#include "validators/caa_record.h"
#include "validators/worker.h"

enum { TRACED_RECORDS = 8 };

static void refuse(struct val_location *location, const struct val_address *address, enum val_reserved reserved)
{
    char text[VAL_ADDRESS_SIZE];
    struct val_attempt *attempt = location->attempt;
    uint64_t now = val_attempt_now(attempt);
    struct json_out *out = val_trace_step(&attempt->trace, "refused", now, now);
    json_out_text(out, "name", location->host);
    json_out_text(out, "address", val_address_text(address, text));
    json_out_text(out, "why", val_reserved_phrase(reserved));
    json_out_text(out, "setting", "validation.allow-addresses");
    json_out_text(out, "allowed_by", val_reserved_word(reserved));
    val_trace_end(&attempt->trace);
    if (location->refused.family != AF_UNSPEC)
        return;
    location->refused = *address;
    location->reserved = reserved;
}

static void keep(struct val_location *location, const struct val_address *address)
{
    struct val_address *slot = address->family == AF_INET6 ? &location->v6 : &location->v4;
    if (slot->family != AF_UNSPEC)
        return;
    enum val_reserved reserved = val_reserve_judge(location->attempt->worker->shared->reserve, address);
    if (reserved == VAL_RESERVED_GLOBAL)
        *slot = *address;
    else
        refuse(location, address, reserved);
}

static void trace_hosts(struct val_attempt *attempt, const char *host, const struct val_address *addresses,
                        size_t count)
{
    char text[VAL_ADDRESS_SIZE];
    uint64_t now = val_attempt_now(attempt);
    struct json_out *out = val_trace_step(&attempt->trace, "hosts", now, now);
    json_out_text(out, "name", host);
    json_out_array(out, "answers");
    for (size_t i = 0; i < count && i < TRACED_RECORDS; i++)
        json_out_text(out, NULL, val_address_text(&addresses[i], text));
    json_out_end_array(out);
    val_trace_end(&attempt->trace);
}

static const char *record_text(const struct val_question *question, size_t i, char out[static VAL_CAA_TEXT_SIZE])
{
    struct bytes record = val_question_record(question, i);
    struct val_address address;
    uint8_t joined[VAL_SHOWN_BYTES + 1];
    if (question->type == VAL_TYPE_CAA)
        return val_caa_record_text(record, out);
    if (question->type != VAL_TYPE_TXT)
        return val_address_from_bytes(record, &address) ? val_address_text(&address, out) : "?";
    size_t len = val_txt_join(record, joined, sizeof joined);
    return val_printable(bytes_of(joined, len < sizeof joined ? len : sizeof joined), out);
}

static void trace_records(struct json_out *out, const struct val_question *question)
{
    char text[VAL_CAA_TEXT_SIZE];
    json_out_array(out, "answers");
    for (size_t i = 0; i < val_question_records(question) && i < TRACED_RECORDS; i++)
        json_out_text(out, NULL, record_text(question, i, text));
    json_out_end_array(out);
}

void val_trace_question(struct val_attempt *attempt, const struct val_question *question)
{
    char rcode[VAL_RCODE_SIZE];
    struct json_out *out = val_trace_step(&attempt->trace, "dns", question->began_ms, question->ended_ms);
    json_out_text(out, "name", question->name);
    json_out_text(out, "type", val_dns_type_text(question->type));
    json_out_text(out, "server", val_dns_server(attempt->worker->dns));
    if (question->result != NULL) {
        val_dns_rcode_text(question->rcode, rcode);
        json_out_text(out, "rcode", rcode);
        json_out_bool(out, "secure", question->secure);
        json_out_bool(out, "bogus", question->bogus);
    }
    if (question->outcome == VAL_DNS_RECORDS)
        trace_records(out, question);
    else
        json_out_text(out, "error", question->why);
    val_trace_end(&attempt->trace);
}

static void on_answer(struct val_question *question)
{
    struct val_location *location = question->arg;
    val_trace_question(location->attempt, question);
    if (!location->aaaa.under_way && !location->a.under_way)
        val_attempt_run(location->attempt);
}

static void ask(struct val_location *location, struct val_question *question, int type)
{
    question->arg = location;
    question->done = on_answer;
    val_dns_ask(location->attempt->worker->dns, location->host, type, question);
}

enum val_turn val_locate(struct val_attempt *attempt, struct val_location *location, const char *host, val_step *step)
{
    const struct val_address *addresses;
    size_t count;
    struct val_address literal;
    val_location_clear(location);
    location->attempt = attempt;
    location->host = host;
    if (val_address_parse(host, &literal)) {
        keep(location, &literal);
        return val_attempt_then(attempt, step, VAL_NEXT);
    }
    if (val_hosts_find(attempt->worker->shared->hosts, host, &addresses, &count)) {
        trace_hosts(attempt, host, addresses, count);
        for (size_t i = 0; i < count; i++)
            keep(location, &addresses[i]);
        return val_attempt_then(attempt, step, VAL_NEXT);
    }
    location->asked = true;
    ask(location, &location->aaaa, VAL_TYPE_AAAA);
    ask(location, &location->a, VAL_TYPE_A);
    return val_attempt_then(attempt, step, VAL_WAIT);
}

static void keep_records(struct val_location *location, const struct val_question *question)
{
    struct val_address address;
    for (size_t i = 0; i < val_question_records(question); i++)
        if (val_address_from_bytes(val_question_record(question, i), &address))
            keep(location, &address);
}

/* With no address from either question the one that failed hardest is worth telling. */
static void explain(struct val_attempt *attempt, const struct val_location *location)
{
    char address[VAL_ADDRESS_SIZE];
    const char *server = val_dns_server(attempt->worker->dns);
    const struct val_question *worst = location->a.outcome != VAL_DNS_NO_DATA ? &location->a : &location->aaaa;
    if (location->refused.family != AF_UNSPEC)
        val_attempt_fail(attempt, PROBLEM_CONNECTION, "%s: this server does not connect to %s, which is %s",
                         location->host, val_address_text(&location->refused, address),
                         val_reserved_phrase(location->reserved));
    else if (!location->asked)
        val_attempt_fail(attempt, PROBLEM_DNS, "%s: dns.hosts gives this name no address", location->host);
    else if (attempt->timed_out)
        val_attempt_fail(attempt, PROBLEM_DNS,
                         "AAAA and A %s: no answer in the time for the whole validation, asked %s", location->host,
                         server);
    else if (worst->outcome == VAL_DNS_NO_DATA)
        val_attempt_fail(attempt, PROBLEM_DNS, "%s: the name has neither AAAA nor A records (NOERROR), asked %s",
                         location->host, server);
    else
        val_attempt_fail(attempt, PROBLEM_DNS, "%s %s: %s, asked %s", val_dns_type_text(worst->type), location->host,
                         worst->why, server);
}

bool val_located(struct val_attempt *attempt, struct val_location *location)
{
    if (location->asked && !attempt->timed_out) {
        keep_records(location, &location->aaaa);
        keep_records(location, &location->a);
    }
    if (location->v6.family != AF_UNSPEC || location->v4.family != AF_UNSPEC)
        return true;
    explain(attempt, location);
    return false;
}

bool val_location_take(struct val_location *location, struct val_address *out)
{
    struct val_address *slot = location->v6.family != AF_UNSPEC ? &location->v6 : &location->v4;
    TRY(slot->family != AF_UNSPEC);
    *out = *slot;
    slot->family = AF_UNSPEC;
    return true;
}

void val_location_clear(struct val_location *location)
{
    val_question_clear(&location->aaaa);
    val_question_clear(&location->a);
    *location = (struct val_location) { 0 };
}
