/* A made-up DNS seen from inside: for those who make answers of it (mock_zone_answer.c) or list it. */
#pragma once

#include "test-client/mock_zone.h"
#include "test-client/text_map.h"

struct mock_record {
    struct mock_record *next;
    enum dns_type type;
    uint32_t ttl;
    size_t len;
    uint8_t rdata[];
};

struct mock_name {
    struct mock_record *records; /* in the order in which they came */
    size_t record_count;
    unsigned troubles[MOCK_TROUBLES];
};

struct mock_zone {
    struct text_map *names;        /* canonical name → struct mock_name */
    struct text_map *signed_zones; /* canonical name → the zone itself */
    struct dns_signer *signer;     /* NULL before the first signed zone */
    struct mock_record *default_a, *default_aaaa;
};

static inline struct bytes mock_rdata(const struct mock_record *record)
{
    return bytes_of(record->rdata, record->len);
}

/* What holds for a canonical name: its own entry or that of a wildcard; NULL without either. */
const struct mock_name *mock_zone_find(const struct mock_zone *zone, const char *name, bool *out_wildcard);
/* Whether anything was said about names below. */
bool mock_zone_has_below(const struct mock_zone *zone, const char *name);
/* The nearest signed zone that a canonical name is in, the name itself included; NULL: none. */
const char *mock_zone_signed_by(const struct mock_zone *zone, const char *name);
