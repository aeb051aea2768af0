#include "server/management/objects.h"

#include "server/caraway.h"
#include "server/management/external_admin.h"
#include "storage/codec.h"

#include <errno.h>

enum {
    PAGE_DEFAULT = 50,
    PAGE_MAX = 1000,
    PAGE_BYTES = 1 << 20, /* a page ends behind the record that reaches it, well below what an answer may have */
    RECORD_MAX_BYTES = 64 << 20,
};

union any_record {
#define X(record, fields, class, id_field) struct record record;
    RECORD_TABLE(X)
#undef X
};

/* A filter is a query argument that selects an index; the subject is made from its value. */
static const struct collection {
    const char *name;
    enum record_class class;
    struct {
        const char *argument;
        enum store_index index;
        bool by_name; /* the value is a DNS name */
    } filters[2];
    void (*write)(struct json_out *out, const void *record, int64_t now_ms); /* NULL: the record as it is */
    bool by_id;                                                              /* ids are people's words, not times */
} collections[] = {
    { "accounts", RECORD_account, { { "key", STORE_ACCOUNT_BY_EXTERNAL_KEY, false } }, NULL, false },
    { "orders", RECORD_order, { { "account", STORE_ORDER_BY_ACCOUNT, false } }, NULL, false },
    { "authorizations", RECORD_authorization, { { 0 } }, NULL, false },
    { "webhook-events", RECORD_webhook_event, { { 0 } }, NULL, false },
    { "external-keys", RECORD_external_key, { { 0 } }, external_key_write, true },
    { "certificates",
      RECORD_certificate,
      { { "account", STORE_CERTIFICATE_BY_ACCOUNT, false }, { "name", STORE_CERTIFICATE_BY_NAME, true } },
      NULL,
      false },
};

static const struct collection *collection_of(struct request *rq)
{
    for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
        if (strcmp(collections[i].name, rq->params[0]) == 0)
            return &collections[i];
    }
    problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404,
                        "There is no \"%.50s\"; ask for accounts, orders, authorizations, certificates, external-keys "
                        "or webhook-events",
                        rq->params[0]);
    return NULL;
}

bool objects_limit(struct request *rq, size_t *out)
{
    const char *text = request_argument(rq, "limit");
    *out = PAGE_DEFAULT;
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value == 0 || value > PAGE_MAX)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"limit\" must be a number from 1 to %d", PAGE_MAX);
    *out = value;
    return true;
}

static const char *subject_of(struct request *rq, const char *value, bool by_name)
{
    struct acme_identifier name;
    char why[IDENTIFIER_WHY_SIZE];
    if (!by_name)
        return value;
    if (identifier_make(rq->arena, IDENTIFIER_IP, bytes_text(value), &name, why) ||
        identifier_make(rq->arena, IDENTIFIER_DNS, bytes_text(value), &name, why))
        return store_subject_of_name(rq->arena, &name);
    problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%.100s\" is not a name: %s", value, why);
    return NULL;
}

static bool read_page(struct request *rq, struct store_txn *txn, const struct collection *collection,
                      struct store_page *out)
{
    size_t limit;
    const char *after = request_argument(rq, "after");
    TRY(objects_limit(rq, &limit));
    for (size_t i = 0; i < ARRAY_SIZE(collection->filters) && collection->filters[i].argument != NULL; i++) {
        const char *value = request_argument(rq, collection->filters[i].argument);
        if (value == NULL)
            continue;
        const char *subject = subject_of(rq, value, collection->filters[i].by_name);
        TRY(subject != NULL);
        return store_list(txn, rq->arena, collection->filters[i].index, subject, after, limit, true, out) ||
               problem_from_list(rq, txn);
    }
    return store_list_all(txn, rq->arena, collection->class, after, limit, !collection->by_id, out) ||
           problem_from_list(rq, txn);
}

/* ---- a page */

struct listing {
    struct request *rq;
    struct store_txn *txn;
    const struct collection *collection;
    struct arena *scratch; /* of one record */
    struct {
        const char *id, *why;
    } * unreadable;
    size_t unreadable_count;
};

static void write_record(struct json_out *out, const struct collection *collection, const union any_record *record,
                         int64_t now_ms)
{
    if (collection->write == NULL) {
        record_to_json(out, NULL, record_type_of(collection->class), record);
        return;
    }
    json_out_object(out, NULL);
    collection->write(out, record, now_ms);
    json_out_end_object(out);
}

static void leave_out(struct listing *listing, const char *id, const char *why)
{
    listing->unreadable[listing->unreadable_count].id = id;
    listing->unreadable[listing->unreadable_count++].why = why;
}

/* One that no answer has room for leaves no trace in it. */
static void list_record(struct listing *listing, struct json_out *out, const char *id)
{
    union any_record record;
    struct json_out before = *out;
    size_t len = out->buf->len;
    arena_reset(listing->scratch);
    enum store_status status = store_read(listing->txn, listing->scratch, listing->collection->class, id, &record);
    if (status != STORE_OK) {
        leave_out(listing, id, store_status_text(status));
        return;
    }
    write_record(out, listing->collection, &record, listing->rq->now_ms);
    if (!out->buf->failed)
        return;
    *out = before;
    out->buf->len = len;
    out->buf->failed = false;
    leave_out(listing, id, "too long for an answer; see caraway export");
}

static void write_unreadable(const struct listing *listing, struct json_out *out)
{
    if (listing->unreadable_count == 0)
        return;
    json_out_array(out, "unreadable");
    for (size_t i = 0; i < listing->unreadable_count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "id", listing->unreadable[i].id);
        json_out_text(out, "why", listing->unreadable[i].why);
        json_out_end_object(out);
    }
    json_out_end_array(out);
}

/* Positions in these lists are ids. */
static void write_page(struct listing *listing, const struct store_page *page)
{
    const char *next = page->next;
    struct json_out out = reply_json(listing->rq, 200);
    json_out_object(&out, NULL);
    json_out_array(&out, listing->collection->name);
    for (size_t i = 0; i < page->ids.count && store_txn_status(listing->txn) == STORE_OK; i++) {
        list_record(listing, &out, page->ids.items[i]);
        if (out.buf->len >= PAGE_BYTES && i + 1 < page->ids.count) {
            next = page->ids.items[i];
            break;
        }
    }
    json_out_end_array(&out);
    write_unreadable(listing, &out);
    if (next != NULL)
        json_out_text(&out, "next", next);
    json_out_end_object(&out);
}

bool objects_get(struct request *rq)
{
    const struct collection *collection = collection_of(rq);
    TRY(collection != NULL);
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "listing");
    struct store_page page;
    TRY(read_page(rq, txn, collection, &page));
    AUTO(arena) scratch = arena_create(RECORD_MAX_BYTES);
    struct listing listing = { .rq = rq, .txn = txn, .collection = collection, .scratch = scratch };
    listing.unreadable = arena_array(rq->arena, page.ids.count, sizeof *listing.unreadable);
    if (scratch == NULL || listing.unreadable == NULL)
        return problem_out_of_memory(&rq->problem);
    write_page(&listing, &page);
    return store_txn_status(txn) == STORE_OK || problem_from_store(&rq->problem, store_txn_status(txn), "listing");
}

/* ---- one object */

bool object_get(struct request *rq)
{
    const struct collection *collection = collection_of(rq);
    TRY(collection != NULL);
    union any_record record;
    AUTO(arena) scratch = arena_create(RECORD_MAX_BYTES);
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL || scratch == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading");
    enum store_status status = store_read(txn, scratch, collection->class, rq->params[1], &record);
    if (status == STORE_NOT_FOUND)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no %s in %s", rq->params[1],
                                   collection->name);
    if (status == STORE_CORRUPT)
        return problem_fail(&rq->problem, PROBLEM_SERVER_INTERNAL, "%s in %s is damaged; see caraway check",
                            rq->params[1], collection->name);
    if (status != STORE_OK)
        return problem_from_store(&rq->problem, status, "reading");
    struct json_out out = reply_json(rq, 200);
    write_record(&out, collection, &record, rq->now_ms);
    return true;
}
