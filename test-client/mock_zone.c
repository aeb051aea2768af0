#include "test-client/mock_zone_inside.h"

#include "base/encode.h"

enum { NAMES_MAX = 1 << 20, RECORDS_OF_NAME_MAX = DNS_SET_MAX, SIGNED_ZONES_MAX = 1024 };

static void name_drop(void *value)
{
    struct mock_name *name = value;
    for (struct mock_record *record = name->records, *next; record != NULL; record = next) {
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
    zone->signed_zones = text_map_create(SIGNED_ZONES_MAX, NULL);
    return zone->names != NULL && zone->signed_zones != NULL ? TAKE(zone) : NULL;
}

static void forget_defaults(struct mock_zone *zone)
{
    free(TAKE(zone->default_a));
    free(TAKE(zone->default_aaaa));
}

void mock_zone_drop(struct mock_zone *zone)
{
    if (zone == NULL)
        return;
    text_map_drop(zone->names);
    text_map_drop(zone->signed_zones);
    dns_signer_drop(zone->signer);
    forget_defaults(zone);
    free(zone);
}

/* The key stays, so that what resolvers trust stays true. */
void mock_zone_reset(struct mock_zone *zone)
{
    text_map_clear(zone->names);
    text_map_clear(zone->signed_zones);
    forget_defaults(zone);
}

static struct mock_record *record_create(enum dns_type type, struct bytes rdata)
{
    struct mock_record *record = rdata.len <= UINT16_MAX ? malloc(sizeof *record + rdata.len) : NULL;
    if (record == NULL)
        return NULL;
    *record = (struct mock_record) { .type = type, .len = rdata.len };
    if (rdata.len > 0)
        memcpy(record->rdata, rdata.data, rdata.len);
    return record;
}

static struct mock_name *find_exact(const struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    return dns_name_canonical(text, canonical) ? text_map_get(zone->names, bytes_text(canonical)) : NULL;
}

static struct mock_name *find_or_make(struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    if (!dns_name_canonical(text, canonical) || canonical[0] == '\0')
        return NULL;
    struct mock_name *name = text_map_get(zone->names, bytes_text(canonical));
    if (name != NULL)
        return name;
    name = calloc(1, sizeof *name);
    if (name != NULL && text_map_put(zone->names, bytes_text(canonical), name))
        return name;
    free(name);
    return NULL;
}

static bool says_nothing(const struct mock_name *name)
{
    for (enum mock_trouble trouble = 0; trouble < MOCK_TROUBLES; trouble++)
        TRY(name->troubles[trouble] == 0);
    return name->record_count == 0;
}

static void forget_if_empty(struct mock_zone *zone, const char *text)
{
    char canonical[DNS_NAME_SIZE];
    const struct mock_name *name = find_exact(zone, text);
    if (name != NULL && says_nothing(name) && dns_name_canonical(text, canonical))
        text_map_remove(zone->names, bytes_text(canonical));
}

/* RFC 2181 §5: a set of records holds no record twice. */
bool mock_zone_add(struct mock_zone *zone, const char *text, enum dns_type type, struct bytes rdata)
{
    struct mock_name *name = find_or_make(zone, text);
    TRY(name != NULL);
    uint32_t ttl = 0;
    struct mock_record **end = &name->records;
    for (; *end != NULL; end = &(*end)->next) {
        if ((*end)->type != type)
            continue;
        if (bytes_equal(mock_rdata(*end), rdata))
            return true;
        ttl = (*end)->ttl;
    }
    if (name->record_count < RECORDS_OF_NAME_MAX)
        *end = record_create(type, rdata);
    bool added = *end != NULL;
    if (added)
        (*end)->ttl = ttl;
    name->record_count += added;
    forget_if_empty(zone, text);
    return added;
}

static void remove_where(struct mock_zone *zone, const char *text, enum dns_type type, const struct bytes *rdata)
{
    struct mock_name *name = find_exact(zone, text);
    if (name == NULL)
        return;
    for (struct mock_record **link = &name->records; *link != NULL;) {
        struct mock_record *record = *link;
        if (record->type != type || (rdata != NULL && !bytes_equal(mock_rdata(record), *rdata))) {
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

void mock_zone_set_ttl(struct mock_zone *zone, const char *text, enum dns_type type, uint32_t ttl)
{
    const struct mock_name *name = find_exact(zone, text);
    for (struct mock_record *record = name != NULL ? name->records : NULL; record != NULL; record = record->next)
        record->ttl = record->type == type ? ttl : record->ttl;
}

bool mock_zone_set_trouble(struct mock_zone *zone, const char *text, enum mock_trouble trouble, unsigned value)
{
    struct mock_name *name = value != 0 ? find_or_make(zone, text) : find_exact(zone, text);
    if (name == NULL)
        return value == 0;
    name->troubles[trouble] = value;
    forget_if_empty(zone, text);
    return true;
}

bool mock_zone_set_default(struct mock_zone *zone, enum dns_type type, struct bytes rdata)
{
    CHECK(type == DNS_A || type == DNS_AAAA);
    struct mock_record *record = rdata.len > 0 ? record_create(type, rdata) : NULL;
    TRY(record != NULL || rdata.len == 0);
    struct mock_record **place = type == DNS_A ? &zone->default_a : &zone->default_aaaa;
    free(*place);
    *place = record;
    return true;
}

const struct mock_name *mock_zone_find(const struct mock_zone *zone, const char *name, bool *out_wildcard)
{
    const struct mock_name *found = text_map_get(zone->names, bytes_text(name));
    *out_wildcard = found == NULL;
    for (const char *above = dns_name_parent(name); found == NULL && above != NULL; above = dns_name_parent(above)) {
        AUTO_BUF(wildcard, DNS_NAME_SIZE + 2);
        buf_printf(&wildcard, *above != '\0' ? "*.%s" : "*", above);
        found = text_map_get(zone->names, buf_bytes(&wildcard));
    }
    return found;
}

/* A dot behind a backslash is part of a label. */
static bool is_below(const void *arg, struct bytes key)
{
    struct bytes above = bytes_text(arg);
    TRY(key.len > above.len + 1);
    const uint8_t *dot = key.data + key.len - above.len - 1;
    return dot[0] == '.' && dot[-1] != '\\' && bytes_equal(bytes_of(dot + 1, above.len), above);
}

bool mock_zone_has_below(const struct mock_zone *zone, const char *name)
{
    return text_map_any(zone->names, is_below, name);
}

bool mock_zone_sign(struct mock_zone *zone, const char *name)
{
    char canonical[DNS_NAME_SIZE];
    TRY(dns_name_canonical(name, canonical));
    if (zone->signer == NULL)
        zone->signer = dns_signer_create(world_real());
    return zone->signer != NULL && text_map_put(zone->signed_zones, bytes_text(canonical), zone);
}

void mock_zone_unsign(struct mock_zone *zone, const char *name)
{
    char canonical[DNS_NAME_SIZE];
    if (dns_name_canonical(name, canonical))
        text_map_remove(zone->signed_zones, bytes_text(canonical));
}

const char *mock_zone_signed_by(const struct mock_zone *zone, const char *name)
{
    while (name != NULL && text_map_get(zone->signed_zones, bytes_text(name)) == NULL)
        name = dns_name_parent(name);
    return name;
}

bool mock_zone_trust_anchor(const struct mock_zone *zone, const char *name, struct buf *out)
{
    char canonical[DNS_NAME_SIZE];
    AUTO_BUF(rdata, DNS_NAME_WIRE_MAX);
    TRY(dns_name_canonical(name, canonical) && text_map_get(zone->signed_zones, bytes_text(canonical)) != NULL);
    dns_signer_ds(zone->signer, canonical, &rdata);
    const uint8_t *data = (const uint8_t *)rdata.data;
    buf_printf(out, "%s. IN DS %u %u %u ", canonical, data[0] << 8 | data[1], data[2], data[3]);
    buf_hex(out, bytes_of(data + 4, rdata.len - 4));
    return !out->failed;
}

struct anchors {
    const struct mock_zone *zone;
    void (*show)(void *arg, const char *anchor);
    void *arg;
};

static void show_anchor(void *arg, struct bytes key, void *value)
{
    (void)value;
    const struct anchors *anchors = arg;
    AUTO_BUF(name, DNS_NAME_SIZE);
    AUTO_BUF(anchor, 2 * DNS_NAME_SIZE);
    buf_append(&name, key.data, key.len);
    if (mock_zone_trust_anchor(anchors->zone, buf_str(&name), &anchor))
        anchors->show(anchors->arg, buf_str(&anchor));
}

bool mock_zone_each_anchor(const struct mock_zone *zone, void (*show)(void *arg, const char *anchor), void *arg)
{
    return text_map_each(zone->signed_zones, show_anchor, &(struct anchors) { zone, show, arg });
}
