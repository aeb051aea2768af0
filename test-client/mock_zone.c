#include "test-client/mock_zone.h"

#include "test-client/text_map.h"

enum { NAMES_MAX = 1 << 20, RECORDS_OF_NAME_MAX = 1024, UDP_BYTES_MAX = 4096, UDP_BYTES_OFFERED = 1232 };

struct record {
    struct record *next;
    enum dns_type type;
    size_t len;
    uint8_t rdata[];
};

struct name {
    struct record *records; /* in the order in which they came */
    size_t record_count;
    bool servfail;
};

struct mock_zone {
    struct text_map *names; /* canonical name → struct name */
    struct record *default_a, *default_aaaa;
};

static void name_drop(void *value)
{
    struct name *name = value;
    for (struct record *record = name->records, *next; record != NULL; record = next) {
        next = record->next;
        free(record);
    }
    free(name);
}

struct mock_zone *mock_zone_create(void)
{
    AUTO(mock_zone) zone = calloc(1, sizeof *zone);
    if (zone == NULL)
        return NULL;
    zone->names = text_map_create(NAMES_MAX, name_drop);
    return zone->names != NULL ? TAKE(zone) : NULL;
}

void mock_zone_drop(struct mock_zone *zone)
{
    if (zone == NULL)
        return;
    text_map_drop(zone->names);
    free(zone->default_a);
    free(zone->default_aaaa);
    free(zone);
}

static struct record *record_create(enum dns_type type, struct bytes rdata)
{
    struct record *record = rdata.len <= UINT16_MAX ? malloc(sizeof *record + rdata.len) : NULL;
    if (record == NULL)
        return NULL;
    *record = (struct record) { .type = type, .len = rdata.len };
    if (rdata.len > 0)
        memcpy(record->rdata, rdata.data, rdata.len);
    return record;
}

static struct bytes rdata_of(const struct record *record)
{
    return bytes_of(record->rdata, record->len);
}

static struct name *find(const struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    return dns_name_canonical(text, canonical) ? text_map_get(zone->names, bytes_text(canonical)) : NULL;
}

static struct name *find_or_make(struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    if (!dns_name_canonical(text, canonical) || canonical[0] == '\0')
        return NULL;
    struct name *name = text_map_get(zone->names, bytes_text(canonical));
    if (name != NULL)
        return name;
    name = calloc(1, sizeof *name);
    if (name != NULL && text_map_put(zone->names, bytes_text(canonical), name))
        return name;
    free(name);
    return NULL;
}

static void forget_if_empty(struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    const struct name *name = find(zone, text);
    if (name != NULL && name->record_count == 0 && !name->servfail && dns_name_canonical(text, canonical))
        text_map_remove(zone->names, bytes_text(canonical));
}

/* RFC 2181 §5: a set of records holds no record twice. */
bool mock_zone_add(struct mock_zone *zone, const char *text, enum dns_type type, struct bytes rdata)
{
    struct name *name = find_or_make(zone, text);
    TRY(name != NULL);
    struct record **end = &name->records;
    for (; *end != NULL; end = &(*end)->next) {
        if ((*end)->type == type && bytes_equal(rdata_of(*end), rdata))
            return true;
    }
    if (name->record_count < RECORDS_OF_NAME_MAX)
        *end = record_create(type, rdata);
    name->record_count += *end != NULL;
    bool added = *end != NULL;
    forget_if_empty(zone, text);
    return added;
}

static void remove_where(struct mock_zone *zone, const char *text, enum dns_type type, const struct bytes *rdata)
{
    struct name *name = find(zone, text);
    if (name == NULL)
        return;
    for (struct record **link = &name->records; *link != NULL;) {
        struct record *record = *link;
        if (record->type != type || (rdata != NULL && !bytes_equal(rdata_of(record), *rdata))) {
            link = &record->next;
            continue;
        }
        *link = record->next;
        name->record_count--;
        free(record);
    }
    forget_if_empty(zone, text);
}

void mock_zone_remove(struct mock_zone *zone, const char *name, enum dns_type type, struct bytes rdata)
{
    remove_where(zone, name, type, &rdata);
}

void mock_zone_clear(struct mock_zone *zone, const char *name, enum dns_type type)
{
    remove_where(zone, name, type, NULL);
}

bool mock_zone_set_servfail(struct mock_zone *zone, const char *text, bool servfail)
{
    struct name *name = servfail ? find_or_make(zone, text) : find(zone, text);
    if (name == NULL)
        return !servfail;
    name->servfail = servfail;
    forget_if_empty(zone, text);
    return true;
}

bool mock_zone_set_default(struct mock_zone *zone, enum dns_type type, struct bytes rdata)
{
    CHECK(type == DNS_A || type == DNS_AAAA);
    struct record *record = rdata.len > 0 ? record_create(type, rdata) : NULL;
    TRY(record != NULL || rdata.len == 0);
    struct record **place = type == DNS_A ? &zone->default_a : &zone->default_aaaa;
    free(*place);
    *place = record;
    return true;
}

/* One answer while it is written. */
struct answer {
    const struct mock_zone *zone;
    const struct dns_query *query;
    struct buf *out;
    struct dns_header header;
    const char *owner; /* of the next records: the question's name, then the target of its CNAME */
    enum dns_rcode rcode;
};

static void put(struct answer *answer, enum dns_section section, enum dns_type type, struct bytes rdata)
{
    dns_write_record(answer->out, answer->owner, type, 0, rdata);
    answer->header.counts[section]++;
}

/* True when the name had records of that type, or a default stood in for them. */
static bool put_all(struct answer *answer, const struct name *name, uint16_t type)
{
    uint16_t before = answer->header.counts[DNS_ANSWERS];
    for (const struct record *record = name != NULL ? name->records : NULL; record != NULL; record = record->next) {
        if (record->type == type)
            put(answer, DNS_ANSWERS, type, rdata_of(record));
    }
    if (answer->header.counts[DNS_ANSWERS] != before)
        return true;
    const struct record *fallback = type == DNS_A ? answer->zone->default_a : answer->zone->default_aaaa;
    if ((type != DNS_A && type != DNS_AAAA) || fallback == NULL)
        return false;
    put(answer, DNS_ANSWERS, type, rdata_of(fallback));
    return true;
}

/* RFC 2308 §2.2: "no such data" carries a SOA. Ours belongs to the name itself, so it is in every resolver's view. */
static void put_soa(struct answer *answer)
{
    AUTO_BUF(rdata, 256);
    dns_write_name(&rdata, "ns.invalid");
    dns_write_name(&rdata, "hostmaster.invalid");
    static const uint32_t serial_refresh_retry_expire_minimum[] = { 1, 3600, 600, 86400, 0 };
    for (size_t i = 0; i < ARRAY_SIZE(serial_refresh_retry_expire_minimum); i++)
        dns_write_u32(&rdata, serial_refresh_retry_expire_minimum[i]);
    put(answer, DNS_AUTHORITIES, DNS_SOA, buf_bytes(&rdata));
}

static const struct record *cname_of(const struct name *name)
{
    const struct record *record = name != NULL ? name->records : NULL;
    while (record != NULL && record->type != DNS_CNAME)
        record = record->next;
    return record;
}

static void look_up(struct answer *answer)
{
    const struct dns_question *question = &answer->query->question;
    const struct name *name = find(answer->zone, question->name);
    const struct record *cname = question->type != DNS_CNAME ? cname_of(name) : NULL;
    char target[DNS_NAME_SIZE];
    if (cname != NULL) {
        struct dns_reader reader = { rdata_of(cname), 0 };
        CHECK(dns_read_name(&reader, target));
        put(answer, DNS_ANSWERS, DNS_CNAME, rdata_of(cname));
        answer->owner = target;
    }
    const struct name *last = cname != NULL ? find(answer->zone, target) : name;
    if ((name != NULL && name->servfail) || (last != NULL && last->servfail))
        answer->rcode = DNS_SERVFAIL;
    else if (!put_all(answer, last, question->type))
        put_soa(answer);
    answer->owner = DNS_NAME_OF_QUESTION;
}

static void put_edns(struct answer *answer)
{
    if (!answer->query->edns)
        return;
    dns_write_name(answer->out, "");
    dns_write_u16(answer->out, DNS_OPT);
    dns_write_u16(answer->out, UDP_BYTES_OFFERED);
    dns_write_u32(answer->out, (uint32_t)(answer->rcode >> 4) << 24 | (answer->query->dnssec_ok ? 0x8000u : 0));
    dns_write_u16(answer->out, 0);
    answer->header.counts[DNS_ADDITIONALS] = 1;
}

/* Throws away what stands behind the question. */
static void begin(struct answer *answer)
{
    buf_clear(answer->out);
    dns_write_header(answer->out, &(struct dns_header) { 0 }); /* written again once the counts are known */
    buf_append(answer->out, answer->query->question_wire.data, answer->query->question_wire.len);
    const struct dns_header *asked = &answer->query->header;
    answer->header = (struct dns_header) {
        .id = asked->id,
        .flags = (uint16_t)(DNS_QR | DNS_AA | (asked->flags & (DNS_OPCODE | DNS_RD)) |
                            ((asked->flags & DNS_RD) != 0 ? DNS_RA : 0)),
        .counts[DNS_QUESTIONS] = answer->query->question_wire.len > 0,
    };
}

static void finish(struct answer *answer)
{
    put_edns(answer);
    AUTO_BUF(header, DNS_HEADER_BYTES);
    answer->header.flags |= (uint16_t)(answer->rcode & 0xf);
    dns_write_header(&header, &answer->header);
    if (!answer->out->failed && !header.failed)
        memcpy(answer->out->data, header.data, DNS_HEADER_BYTES);
}

static size_t size_limit(const struct dns_query *query, enum dns_transport transport)
{
    if (transport == DNS_OVER_STREAM)
        return DNS_MESSAGE_MAX;
    return query->udp_bytes < UDP_BYTES_MAX ? query->udp_bytes : UDP_BYTES_MAX;
}

void mock_zone_answer(const struct mock_zone *zone, struct bytes message, enum dns_transport transport, struct buf *out)
{
    struct dns_query query;
    buf_clear(out);
    if (!dns_query_parse(message, &query))
        return;
    struct answer answer = { .zone = zone, .query = &query, .out = out, .rcode = query.rcode };
    if (answer.rcode == DNS_NOERROR && query.question.klass != DNS_CLASS_IN)
        answer.rcode = DNS_REFUSED;
    begin(&answer);
    if (answer.rcode == DNS_NOERROR)
        look_up(&answer);
    if (answer.rcode != DNS_NOERROR)
        begin(&answer);
    finish(&answer);
    if (!out->failed && out->len <= size_limit(&query, transport))
        return;
    begin(&answer);
    answer.header.flags |= DNS_TC;
    finish(&answer);
}
