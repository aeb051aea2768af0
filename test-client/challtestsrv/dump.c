#include "test-client/challtestsrv/dump.h"

#include "base/json.h"
#include "test-client/dns_rdata.h"
#include "test-client/mock_zone_inside.h"

enum { INDENT = 2, TEXT_MAX = 1 << 18 };

static const char *const trouble_texts[MOCK_TROUBLES] = {
    [MOCK_SERVFAIL] = "servfail",
    [MOCK_NXDOMAIN] = "nxdomain",
    [MOCK_FLAW] = "bogus",
};

/* Keys come out of maps as bytes, and the writer wants a text. */
static void open_named(struct json_out *json, struct bytes name)
{
    AUTO_BUF(key, TEXT_MAX);
    buf_append(&key, name.data, name.len);
    json->buf->failed |= key.failed;
    json_out_object(json, buf_str(&key));
}

static void out_named(struct json_out *json, struct bytes name, const char *value)
{
    AUTO_BUF(key, TEXT_MAX);
    buf_append(&key, name.data, name.len);
    json->buf->failed |= key.failed;
    json_out_text(json, buf_str(&key), value);
}

static void write_record(struct json_out *json, const struct mock_record *record)
{
    AUTO_BUF(data, TEXT_MAX);
    json->buf->failed |= !dns_rdata_text(record->type, mock_rdata(record), &data);
    json_out_object(json, NULL);
    json_out_text(json, "type", dns_type_text((uint16_t)record->type));
    json_out_int(json, "ttl", record->ttl);
    json_out_text(json, "data", buf_str(&data));
    json_out_end_object(json);
}

static void write_name(void *arg, struct bytes key, void *value)
{
    struct json_out *json = arg;
    const struct mock_name *name = value;
    open_named(json, key);
    json_out_array(json, "records");
    for (const struct mock_record *record = name->records; record != NULL; record = record->next)
        write_record(json, record);
    json_out_end_array(json);
    for (enum mock_trouble trouble = 0; trouble < MOCK_FLAW; trouble++)
        json_out_bool(json, trouble_texts[trouble], name->troubles[trouble] != 0);
    json_out_text(json, trouble_texts[MOCK_FLAW], dns_flaw_text((enum dns_flaw)name->troubles[MOCK_FLAW]));
    json_out_end_object(json);
}

static void write_default(struct json_out *json, const char *key, const struct mock_record *record)
{
    AUTO_BUF(text, TEXT_MAX);
    json->buf->failed |= record != NULL && !dns_rdata_text(record->type, mock_rdata(record), &text);
    json_out_text(json, key, buf_str(&text));
}

static void write_anchor(void *arg, const char *anchor)
{
    json_out_text(arg, NULL, anchor);
}

static bool write_dns(struct json_out *json, const struct mock_zone *zone)
{
    json_out_object(json, "dns");
    write_default(json, "defaultIPv4", zone->default_a);
    write_default(json, "defaultIPv6", zone->default_aaaa);
    json_out_object(json, "names");
    TRY(text_map_each(zone->names, write_name, json));
    json_out_end_object(json);
    json_out_array(json, "signedZones");
    TRY(mock_zone_each_anchor(zone, write_anchor, json));
    json_out_end_array(json);
    json_out_end_object(json);
    return true;
}

static void write_text(void *arg, struct bytes key, void *value)
{
    out_named(arg, key, value);
}

static bool write_map(struct json_out *json, const char *key, const struct text_map *map)
{
    json_out_object(json, key);
    TRY(text_map_each(map, write_text, json));
    json_out_end_object(json);
    return true;
}

static void write_certificate(void *arg, const char *name, const char *content)
{
    json_out_text(arg, name, content);
}

static bool write_tls(struct json_out *json, const struct tls_alpn01 *tls)
{
    json_out_object(json, "tlsalpn01");
    TRY(tls_alpn01_each(tls, write_certificate, json));
    json_out_end_object(json);
    return true;
}

static void write_fault(void *arg, struct bytes host, enum cts_protocol protocol, const struct cts_fault *fault)
{
    struct json_out *json = arg;
    json_out_object(json, NULL);
    json_out_bytes(json, "host", host);
    json_out_text(json, "protocol", cts_protocol_text(protocol));
    json_out_int(json, "ms", fault->delay_ms);
    json_out_int(json, "count", fault->failures);
    json_out_end_object(json);
}

static void write_counts(struct json_out *json, const struct cts_history *history)
{
    json_out_object(json, "requests");
    for (enum cts_event kind = 0; kind < CTS_EVENTS; kind++)
        json_out_int(json, cts_event_text(kind), (int64_t)cts_history_count(history, kind));
    json_out_end_object(json);
}

bool cts_dump_write(const struct cts_answers *answers, struct buf *out)
{
    struct json_out json = JSON_OUT(out, INDENT);
    json_out_object(&json, NULL);
    TRY(answers->zone == NULL || write_dns(&json, answers->zone));
    if (answers->http != NULL) {
        TRY(write_map(&json, "http01", http01_contents(answers->http)));
        TRY(write_map(&json, "redirects", answers->redirects));
    }
    TRY(answers->tls == NULL || write_tls(&json, answers->tls));
    json_out_array(&json, "faults");
    TRY(cts_faults_each(answers->faults, write_fault, &json));
    json_out_end_array(&json);
    write_counts(&json, answers->history);
    json_out_end_object(&json);
    buf_char(out, '\n');
    return !out->failed;
}
