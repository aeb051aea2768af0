#include "server/protocol/validation_record.h"

#include "base/buf.h"

/* Owned, but for the identifier. What a lookup found belongs to the connections behind it, until the next one. */
struct reading {
    const struct acme_identifier *identifier;
    json_t *records;             /* what is told: objects */
    json_t *addresses, *servers; /* of the last lookup; NULL before the first */
    const char *name;            /* that was looked up, in the trace */
    bool met;                    /* a connection came behind the lookup */
};

static void drop_reading(struct reading *reading)
{
    json_decref(reading->records);
    json_decref(reading->addresses);
    json_decref(reading->servers);
}

/* Members that are empty are left out, as Boulder does. */
static void add_list(json_t *record, const char *key, json_t *list)
{
    if (json_array_size(list) > 0)
        json_object_set(record, key, list);
}

static void add_once(json_t *list, json_t *value)
{
    size_t i;
    json_t *old;
    json_array_foreach (list, i, old) {
        if (json_equal(old, value))
            return;
    }
    json_array_append(list, value);
}

static void begin_lookup(struct reading *reading, const json_t *step)
{
    const char *name = json_member_text(step, "name");
    bool same = reading->name != NULL && name != NULL && strcmp(name, reading->name) == 0;
    if (same && !reading->met)
        return; /* AAAA and A of one name */
    json_decref(reading->addresses);
    json_decref(reading->servers);
    reading->addresses = json_array();
    reading->servers = json_array();
    reading->name = name;
    reading->met = false;
}

static void read_lookup(struct reading *reading, const json_t *step)
{
    size_t i;
    json_t *answer;
    begin_lookup(reading, step);
    json_array_foreach (json_object_get(step, "answers"), i, answer)
        json_array_append(reading->addresses, answer);
    if (json_is_string(json_object_get(step, "server")))
        add_once(reading->servers, json_object_get(step, "server"));
}

/* "192.0.2.1:80" or "[2001:db8::1]:80" */
static bool split_endpoint(const char *endpoint, json_t **out_address, json_t **out_port)
{
    const char *colon = endpoint != NULL ? strrchr(endpoint, ':') : NULL;
    TRY(colon != NULL);
    bool v6 = endpoint[0] == '[' && colon - endpoint > 2;
    *out_address = json_stringn(endpoint + v6, (size_t)(colon - endpoint) - 2 * v6);
    *out_port = json_string(colon + 1);
    return true;
}

static json_t *host_of_url(const char *url)
{
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    bool v6 = host[0] == '[';
    return json_stringn(host + v6, strcspn(host + v6, v6 ? "]/?#" : ":/?#"));
}

static json_t *last_of(json_t *list)
{
    return json_array_size(list) > 0 ? json_array_get(list, json_array_size(list) - 1) : NULL;
}

/* The other address of the same place, after the first one failed. Who named them stays at the end. */
static void add_fallback(json_t *record, json_t *address)
{
    json_t *servers = json_incref(json_object_get(record, "resolverAddrs"));
    json_object_del(record, "resolverAddrs");
    json_object_set_new(record, "addressesTried", json_pack("[O]", json_object_get(record, "addressUsed")));
    json_object_set_new(record, "addressUsed", address);
    json_object_set_new(record, "resolverAddrs", servers);
}

static void add_connection(struct reading *reading, json_t *url, json_t *address, json_t *port)
{
    json_t *record = json_object();
    if (json_is_string(url))
        json_object_set(record, "url", url);
    json_object_set_new(record, "hostname",
                        json_is_string(url) ? host_of_url(json_string_value(url))
                                            : json_string(reading->identifier->value));
    json_object_set_new(record, "port", port);
    if (reading->name != NULL && !reading->met)
        add_list(record, "addressesResolved", reading->addresses);
    else /* an address that nobody needed to look up */
        json_object_set_new(record, "addressesResolved", json_pack("[O]", address));
    json_object_set_new(record, "addressUsed", address);
    if (!reading->met)
        add_list(record, "resolverAddrs", reading->servers);
    json_array_append_new(reading->records, record);
    reading->met = true;
}

static void read_connection(struct reading *reading, const json_t *step)
{
    json_t *address, *port, *url = json_object_get(step, "url"), *last = last_of(reading->records);
    if (!split_endpoint(json_member_text(step, "address"), &address, &port))
        return;
    json_t *before = json_object_get(last, "url");
    if (reading->met && last != NULL && (url == before || json_equal(url, before))) {
        add_fallback(last, address);
        json_decref(port);
    } else {
        add_connection(reading, url, address, port);
    }
}

static void read_txt(struct reading *reading, const json_t *step)
{
    json_t *record = json_object();
    json_object_set_new(record, "hostname", json_string(reading->identifier->value));
    json_object_set_new(record, "resolverAddrs", json_pack("[O]", json_object_get(step, "server")));
    json_array_append_new(reading->records, record);
}

/* What led to no connection is told as far as it came. */
static void finish_lookup(struct reading *reading)
{
    if (reading->name == NULL || reading->met)
        return;
    json_t *record = json_object();
    json_object_set_new(record, "hostname", json_string(reading->name));
    add_list(record, "addressesResolved", reading->addresses);
    add_list(record, "resolverAddrs", reading->servers);
    json_array_append_new(reading->records, record);
}

static const struct {
    const char *step, *type; /* type: of a DNS question */
    void (*read)(struct reading *reading, const json_t *step);
} steps[] = {
    { "hosts", NULL, read_lookup }, { "dns", "AAAA", read_lookup },    { "dns", "A", read_lookup },
    { "dns", "TXT", read_txt },     { "http", NULL, read_connection }, { "tls", NULL, read_connection },
};

static void read_step(struct reading *reading, const json_t *step)
{
    const char *name = json_member_text(step, "step"), *type = json_member_text(step, "type");
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(steps); i++) {
        if (strcmp(name, steps[i].step) == 0 &&
            (steps[i].type == NULL || (type != NULL && strcmp(type, steps[i].type) == 0)))
            steps[i].read(reading, step);
    }
}

void validation_record_write(struct json_out *out, const struct challenge *challenge,
                             const struct acme_identifier *identifier)
{
    AUTO_TYPE(json_t) trace = challenge->trace != NULL ? json_loads(challenge->trace, 0, NULL) : NULL;
    if (trace == NULL)
        return;
    __attribute__((cleanup(drop_reading))) struct reading reading = { .identifier = identifier,
                                                                      .records = json_array() };
    size_t i;
    json_t *step;
    json_array_foreach (trace, i, step)
        read_step(&reading, step);
    finish_lookup(&reading);
    if (json_array_size(reading.records) == 0)
        return;
    AUTO_TYPE(char) text = json_dumps(reading.records, JSON_COMPACT);
    if (text != NULL)
        json_out_raw(out, "validationRecord", text);
}
