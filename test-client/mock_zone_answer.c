#include "test-client/dns_nsec.h"
#include "test-client/dns_rdata.h"
#include "test-client/mock_zone_inside.h"

enum { UDP_BYTES_MAX = 4096, UDP_BYTES_OFFERED = 1232, CNAMES_MAX = 8, TYPES_MAX = DNS_SET_MAX + 8, RDATA_MAX = 1024 };

/* One answer while it is written. */
struct answer {
    const struct mock_zone *zone;
    const struct dns_query *query;
    struct buf *out;
    struct dns_header header;
    char name[DNS_NAME_SIZE];     /* that the answer is about: the question's, then the target of its CNAME */
    const struct mock_name *said; /* about it; NULL: nothing */
    bool wildcard;                /* it was said by one */
    bool followed;                /* a CNAME led here */
    enum dns_rcode rcode;
};

static void put(struct answer *answer, enum dns_section section, const char *owner, uint16_t type, uint32_t ttl,
                struct bytes rdata)
{
    bool asked = !answer->followed && strcmp(owner, answer->name) == 0; /* in the case it was asked in */
    dns_write_record(answer->out, asked ? DNS_NAME_OF_QUESTION : owner, type, ttl, rdata);
    answer->header.counts[section]++;
}

/* The records, and where they are in a signed zone and signatures were asked for, theirs. */
static void put_set(struct answer *answer, enum dns_section section, const char *owner, struct dns_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        put(answer, section, owner, set->type, set->ttl, set->rdata[i]);
    enum dns_flaw flaw = answer->said != NULL ? answer->said->troubles[MOCK_FLAW] : DNS_FLAW_NONE;
    const char *parent = set->type == DNS_DS ? dns_name_parent(owner) : owner; /* RFC 4035 §2.4 */
    const char *zone = parent != NULL ? mock_zone_signed_by(answer->zone, parent) : NULL;
    if (zone == NULL || !answer->query->dnssec_ok || flaw == DNS_FLAW_MISSING)
        return;
    AUTO_BUF(rdata, RDATA_MAX);
    dns_signer_sign(answer->zone->signer, zone, owner, set, flaw, &rdata);
    put(answer, section, owner, DNS_RRSIG, set->ttl, buf_bytes(&rdata));
    answer->out->failed |= rdata.failed;
}

static void put_one(struct answer *answer, enum dns_section section, const char *owner, uint16_t type, uint32_t ttl,
                    const struct buf *rdata)
{
    struct dns_set set = { .type = type, .ttl = ttl, .count = 1, .rdata = { buf_bytes(rdata) } };
    put_set(answer, section, owner, &set);
    answer->out->failed |= rdata->failed;
}

static const struct mock_record *default_of(const struct mock_zone *zone, uint16_t type)
{
    return type == DNS_A ? zone->default_a : type == DNS_AAAA ? zone->default_aaaa : NULL;
}

/* What the name has of that type, a default standing in for it. */
static void collect(const struct answer *answer, uint16_t type, struct dns_set *out)
{
    out->type = type;
    out->ttl = 0;
    out->count = 0;
    const struct mock_record *record = answer->said != NULL ? answer->said->records : NULL;
    for (; record != NULL; record = record->next) {
        if (record->type != type)
            continue;
        out->ttl = record->ttl;
        out->rdata[out->count++] = mock_rdata(record);
    }
    record = default_of(answer->zone, type);
    if (out->count == 0 && record != NULL)
        out->rdata[out->count++] = mock_rdata(record);
}

static bool is_apex(const struct answer *answer)
{
    return text_map_get(answer->zone->signed_zones, bytes_text(answer->name)) != NULL;
}

static void write_made_up_soa(struct buf *out)
{
    const struct dns_soa soa = { .mname = "ns.invalid",
                                 .rname = "hostmaster.invalid",
                                 .serial = 1,
                                 .refresh = 3600,
                                 .retry = 600,
                                 .expire = 86400 };
    out->failed |= !dns_rdata_soa(&soa, out);
}

/* What only a signed zone's apex has, made for it. */
static bool put_of_apex(struct answer *answer, uint16_t type)
{
    AUTO_BUF(rdata, RDATA_MAX);
    const struct dns_signer *signer = answer->zone->signer;
    TRY(is_apex(answer) && (type == DNS_DNSKEY || type == DNS_DS || type == DNS_SOA));
    if (type == DNS_DNSKEY)
        buf_append(&rdata, dns_signer_dnskey(signer).data, dns_signer_dnskey(signer).len);
    else if (type == DNS_DS)
        dns_signer_ds(signer, answer->name, &rdata);
    else
        write_made_up_soa(&rdata);
    put_one(answer, DNS_ANSWERS, answer->name, type, 0, &rdata);
    return true;
}

static const struct mock_record *record_of(const struct mock_name *name, enum dns_type type)
{
    const struct mock_record *record = name != NULL ? name->records : NULL;
    while (record != NULL && record->type != type)
        record = record->next;
    return record;
}

/* RFC 2308 §2: "there is nothing" carries a SOA: one that somebody put at the name or above it, else ours; where no
 * zone is known, that belongs to the name itself, so that it is in every resolver's view. */
static void put_soa(struct answer *answer)
{
    const char *zone = mock_zone_signed_by(answer->zone, answer->name), *owner = answer->name;
    for (const struct mock_record *record = NULL; owner != NULL; owner = dns_name_parent(owner)) {
        record = record_of(text_map_get(answer->zone->names, bytes_text(owner)), DNS_SOA);
        if (record != NULL) {
            struct dns_set set = { .type = DNS_SOA, .ttl = record->ttl, .count = 1, .rdata = { mock_rdata(record) } };
            put_set(answer, DNS_AUTHORITIES, owner, &set);
            return;
        }
        if (zone != NULL && strcmp(owner, zone) == 0)
            break;
    }
    AUTO_BUF(rdata, RDATA_MAX);
    write_made_up_soa(&rdata);
    put_one(answer, DNS_AUTHORITIES, zone != NULL ? zone : answer->name, DNS_SOA, 0, &rdata);
}

static bool proves(const struct answer *answer)
{
    return answer->query->dnssec_ok && mock_zone_signed_by(answer->zone, answer->name) != NULL;
}

static void put_nsec(struct answer *answer, const char *owner, const char *next, const uint16_t *types, size_t count)
{
    AUTO_BUF(rdata, RDATA_MAX);
    dns_nsec_rdata(&rdata, next, types, count);
    put_one(answer, DNS_AUTHORITIES, owner, DNS_NSEC, 0, &rdata);
}

/* The name is there, and this is all it has. */
static void put_no_data(struct answer *answer)
{
    static const uint16_t made[] = { DNS_RRSIG, DNS_NSEC }, made_for_apex[] = { DNS_SOA, DNS_DNSKEY };
    uint16_t types[TYPES_MAX];
    size_t count = 0;
    char next[DNS_NAME_SIZE];
    put_soa(answer);
    if (!proves(answer) || !dns_nsec_below(answer->name, next))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        types[count++] = made[i];
    for (size_t i = 0; i < ARRAY_SIZE(made_for_apex) && is_apex(answer); i++)
        types[count++] = made_for_apex[i];
    const struct mock_record *record = answer->said != NULL ? answer->said->records : NULL;
    for (; record != NULL; record = record->next)
        types[count++] = (uint16_t)record->type;
    if (answer->zone->default_a != NULL)
        types[count++] = DNS_A;
    if (answer->zone->default_aaaa != NULL)
        types[count++] = DNS_AAAA;
    put_nsec(answer, answer->name, next, types, count);
}

static void put_no_such_name(struct answer *answer, const char *name)
{
    static const uint16_t types[] = { DNS_RRSIG, DNS_NSEC };
    char before[DNS_NAME_SIZE], behind[DNS_NAME_SIZE];
    if (dns_nsec_before(name, before) && dns_nsec_behind(name, behind))
        put_nsec(answer, before, behind, types, ARRAY_SIZE(types));
}

/* RFC 4035 §3.1.3.2: neither is there the name, nor a wildcard that would stand for it. */
static void put_nxdomain(struct answer *answer)
{
    AUTO_BUF(wildcard, DNS_NAME_SIZE);
    answer->rcode = DNS_NXDOMAIN;
    put_soa(answer);
    if (!proves(answer) || is_apex(answer))
        return;
    buf_printf(&wildcard, "*.%s", dns_name_parent(answer->name));
    put_no_such_name(answer, answer->name);
    put_no_such_name(answer, buf_str(&wildcard));
}

static unsigned trouble_of(const struct answer *answer, enum mock_trouble trouble)
{
    return answer->said != NULL ? answer->said->troubles[trouble] : 0;
}

/* RFC 8020: a wildcard's NXDOMAIN is not for names that have something below them. */
static bool is_nxdomain(const struct answer *answer)
{
    return trouble_of(answer, MOCK_NXDOMAIN) != 0 &&
           (!answer->wildcard || !mock_zone_has_below(answer->zone, answer->name));
}

/* False when the name has no CNAME that is to be followed. */
static bool follow_cname(struct answer *answer, uint16_t type)
{
    const struct mock_record *cname = type != DNS_CNAME ? record_of(answer->said, DNS_CNAME) : NULL;
    TRY(cname != NULL);
    struct dns_set set = { .type = DNS_CNAME, .ttl = cname->ttl, .count = 1, .rdata = { mock_rdata(cname) } };
    put_set(answer, DNS_ANSWERS, answer->name, &set);
    struct dns_reader reader = { mock_rdata(cname), 0 };
    CHECK(dns_read_name(&reader, answer->name));
    answer->followed = true;
    return true;
}

static void look_up(struct answer *answer)
{
    struct dns_set set;
    uint16_t type = answer->query->question.type;
    CHECK(dns_name_canonical(answer->query->question.name, answer->name));
    for (int hop = 0; hop <= CNAMES_MAX; hop++) {
        answer->said = mock_zone_find(answer->zone, answer->name, &answer->wildcard);
        if (trouble_of(answer, MOCK_SERVFAIL) != 0) {
            answer->rcode = DNS_SERVFAIL;
            return;
        }
        if (is_nxdomain(answer)) {
            put_nxdomain(answer);
            return;
        }
        if (follow_cname(answer, type))
            continue;
        collect(answer, type, &set);
        if (set.count > 0)
            put_set(answer, DNS_ANSWERS, answer->name, &set);
        else if (!put_of_apex(answer, type))
            put_no_data(answer);
        return;
    }
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
    if (answer.rcode != DNS_NOERROR && answer.rcode != DNS_NXDOMAIN)
        begin(&answer);
    finish(&answer);
    if (!out->failed && out->len <= size_limit(&query, transport))
        return;
    begin(&answer);
    answer.header.flags |= DNS_TC;
    finish(&answer);
}

void mock_zone_refuse(struct bytes message, enum dns_rcode rcode, struct buf *out)
{
    struct dns_query query;
    buf_clear(out);
    if (!dns_query_parse(message, &query))
        return;
    struct answer answer = { .query = &query, .out = out, .rcode = query.rcode != DNS_NOERROR ? query.rcode : rcode };
    begin(&answer);
    finish(&answer);
}
