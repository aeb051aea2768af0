#include "server/protocol/identifiers.h"

#include "server/caraway.h"

struct entry {
    struct acme_identifier identifier;
    const char *ancestor; /* RFC 9444: prove this domain instead; or NULL */
};

struct reading {
    struct entry *entries;
    size_t count;
    struct acme_subproblem *refusals;
    size_t refusal_count;
};

bool identifier_read(struct request *rq, const json_t *entry, struct acme_identifier *out,
                     char why[static IDENTIFIER_WHY_SIZE])
{
    const char *type = json_member_text(entry, "type");
    const char *value = json_member_text(entry, "value");
    why[0] = '\0';
    if (type == NULL || value == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "An identifier must have the strings \"type\" and \"value\"");
    if (!identifier_type_from_text(type, &out->type))
        return problem_fail(&rq->problem, PROBLEM_UNSUPPORTED_IDENTIFIER,
                            "The identifier type \"%.50s\" is not known here; use \"dns\" or \"ip\"", type);
    (void)!identifier_make(rq->arena, out->type, bytes_text(value), out, why);
    return true;
}

static bool note_refusal(struct request *rq, struct reading *reading, const json_t *entry,
                         enum acme_identifier_type type, const char *why)
{
    const char *value = json_member_text(entry, "value");
    struct acme_subproblem *refusal = &reading->refusals[reading->refusal_count++];
    *refusal = (struct acme_subproblem) {
        .type = PROBLEM_REJECTED_IDENTIFIER,
        .identifier = { type, arena_text(rq->arena, value) },
        .detail = arena_printf(rq->arena, "Cannot issue for \"%.260s\": %s", value, why),
    };
    return (refusal->identifier.value != NULL && refusal->detail != NULL) || problem_out_of_memory(&rq->problem);
}

static bool refuse(struct request *rq, const struct reading *reading)
{
    if (reading->refusal_count == 1)
        return problem_fail(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, "%s", reading->refusals[0].detail);
    problem_fail(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, "%zu identifiers are refused; see the subproblems",
                 reading->refusal_count);
    rq->problem.subproblems = reading->refusals;
    rq->problem.subproblem_count = reading->refusal_count;
    return false;
}

static bool read_ancestor(struct request *rq, const json_t *json, struct entry *entry)
{
    const json_t *value = json_object_get(json, "ancestorDomain");
    struct acme_identifier ancestor;
    char why[IDENTIFIER_WHY_SIZE];
    if (value == NULL ||
        !rq->caraway->settings->authorization_subdomains) /* RFC 9444 §4.3: the name is proved itself */
        return true;
    if (!json_is_string(value) || entry->identifier.type != IDENTIFIER_DNS ||
        !identifier_make(rq->arena, IDENTIFIER_DNS, bytes_text(json_string_value(value)), &ancestor, why) ||
        identifier_is_wildcard(&ancestor) || !identifier_lies_below(entry->identifier.value, ancestor.value))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"ancestorDomain\" must be a domain above \"%s\"",
                            entry->identifier.value);
    entry->ancestor = ancestor.value;
    return true;
}

static bool read_entry(struct request *rq, const json_t *json, struct reading *reading)
{
    struct entry *entry = &reading->entries[reading->count++];
    char why[IDENTIFIER_WHY_SIZE];
    TRY(identifier_read(rq, json, &entry->identifier, why));
    if (why[0] != '\0')
        return note_refusal(rq, reading, json, entry->identifier.type, why);
    return read_ancestor(rq, json, entry);
}

/* ---- what must be proved */

static struct authorization_wish wish_of(const struct reading *reading, const struct acme_identifier *identifier)
{
    for (size_t i = 0; i < reading->count; i++) {
        const struct entry *entry = &reading->entries[i];
        if (entry->ancestor != NULL && identifier_compare(&entry->identifier, identifier) == 0)
            return (struct authorization_wish) { { IDENTIFIER_DNS, entry->ancestor }, SCOPE_SUBDOMAINS };
    }
    return (struct authorization_wish) { { identifier->type, identifier_base(identifier) },
                                         identifier_is_wildcard(identifier) ? SCOPE_WILDCARD : SCOPE_NAME };
}

static void add_wish(struct asked *asked, struct authorization_wish wish)
{
    for (size_t i = 0; i < asked->wish_count; i++) {
        const struct authorization_wish *known = &asked->wishes[i];
        if (known->scope == wish.scope && identifier_compare(&known->identifier, &wish.identifier) == 0)
            return;
    }
    asked->wishes[asked->wish_count++] = wish;
}

static bool collect(struct request *rq, const struct reading *reading, struct asked *out)
{
    struct acme_identifier *items = arena_array(rq->arena, reading->count, sizeof *items);
    struct asked asked = { .wishes = arena_array(rq->arena, reading->count, sizeof *asked.wishes) };
    if (items == NULL || asked.wishes == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < reading->count; i++)
        items[i] = reading->entries[i].identifier;
    asked.identifiers = (struct identifiers) { items, identifier_sort_unique(items, reading->count) };
    for (size_t i = 0; i < asked.identifiers.count; i++)
        add_wish(&asked, wish_of(reading, &items[i]));
    *out = asked;
    return true;
}

bool identifiers_read(struct request *rq, size_t most, struct asked *out)
{
    const json_t *list = json_object_get(rq->payload, "identifiers");
    size_t count = json_array_size(list);
    if (count == 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The order needs \"identifiers\": an array with at least one identifier");
    if (count > most)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The order has %zu identifiers; at most %zu are taken",
                            count, most);
    struct reading reading = {
        .entries = arena_array(rq->arena, count, sizeof *reading.entries),
        .refusals = arena_array(rq->arena, count, sizeof *reading.refusals),
    };
    if (reading.entries == NULL || reading.refusals == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < count; i++)
        TRY(read_entry(rq, json_array_get(list, i), &reading));
    return reading.refusal_count > 0 ? refuse(rq, &reading) : collect(rq, &reading, out);
}
