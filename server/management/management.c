#include "server/management/management.h"

#include "server/management/account_admin.h"
#include "server/caraway.h"
#include "server/protocol/chains.h"
#include "server/management/clock.h"
#include "server/management/dry_run.h"
#include "server/management/external_admin.h"
#include "server/management/limit_admin.h"
#include "server/management/upkeep.h"
#include "server/webhook/webhook.h"
#include "storage/codec.h"

#include <errno.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000, BODY_MAX_BYTES = 64 * 1024 };

/* ---- health and certificates */

static bool healthz(struct request *rq)
{
    reply_text(rq, 200, "text/plain", "ok\n");
    return true;
}

/* /roots/0 is the default chain's root, /intermediates/0 what stands between it and a leaf. */
static bool root_get(struct request *rq)
{
    size_t chain;
    TRY(chain_read(rq, rq->params[0], &chain));
    reply_text(rq, 200, "application/pem-certificate-chain", ca_root_pem(rq->caraway->ca, chain));
    return true;
}

static bool intermediate_get(struct request *rq)
{
    size_t chain;
    TRY(chain_read(rq, rq->params[0], &chain));
    reply_text(rq, 200, "application/pem-certificate-chain", ca_chain_pem(rq->caraway->ca, chain));
    return true;
}

/* ---- objects */

union any_record {
#define X(record, fields, class, id_field) struct record record;
    RECORD_TABLE(X)
#undef X
};

#define X(record, fields, class, id_field)                                                                             \
    __attribute__((unused)) static bool get_##record(struct store_txn *txn, struct arena *arena, const char *id,       \
                                                     union any_record *out)                                            \
    {                                                                                                                  \
        return store_get_##record(txn, arena, id, &out->record);                                                       \
    }
RECORD_TABLE(X)
#undef X

/* A filter is a query argument that selects an index; the subject is made from its value. */
static const struct collection {
    const char *name;
    enum record_class class;
    bool (*get)(struct store_txn *txn, struct arena *arena, const char *id, union any_record *out);
    struct {
        const char *argument;
        enum store_index index;
        bool by_name; /* the value is a DNS name */
    } filters[2];
} collections[] = {
    { "accounts", RECORD_account, get_account, { { 0 } } },
    { "orders", RECORD_order, get_order, { { "account", STORE_ORDER_BY_ACCOUNT, false } } },
    { "authorizations", RECORD_authorization, get_authorization, { { 0 } } },
    { "webhook-events", RECORD_webhook_event, get_webhook_event, { { 0 } } },
    { "certificates",
      RECORD_certificate,
      get_certificate,
      { { "account", STORE_CERTIFICATE_BY_ACCOUNT, false }, { "name", STORE_CERTIFICATE_BY_NAME, true } } },
};

static const struct collection *collection_of(struct request *rq)
{
    for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
        if (strcmp(collections[i].name, rq->params[0]) == 0)
            return &collections[i];
    }
    problem_fail_status(
        &rq->problem, PROBLEM_MALFORMED, 404,
        "There is no \"%.50s\"; ask for accounts, orders, authorizations, certificates or webhook-events",
        rq->params[0]);
    return NULL;
}

static bool read_limit(struct request *rq, size_t *out)
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
    TRY(read_limit(rq, &limit));
    for (size_t i = 0; i < ARRAY_SIZE(collection->filters) && collection->filters[i].argument != NULL; i++) {
        const char *value = request_argument(rq, collection->filters[i].argument);
        if (value == NULL)
            continue;
        const char *subject = subject_of(rq, value, collection->filters[i].by_name);
        TRY(subject != NULL);
        return store_list(txn, rq->arena, collection->filters[i].index, subject, after, limit, true, out) ||
               problem_from_list(rq, txn);
    }
    return store_list_all(txn, rq->arena, collection->class, after, limit, true, out) || problem_from_list(rq, txn);
}

static bool list_get(struct request *rq)
{
    const struct collection *collection = collection_of(rq);
    TRY(collection != NULL);
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "listing");
    struct store_page page;
    TRY(read_page(rq, txn, collection, &page));
    AUTO(arena) scratch = arena_create(1 << 20);
    if (scratch == NULL)
        return problem_out_of_memory(&rq->problem);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_array(&out, collection->name);
    for (size_t i = 0; i < page.ids.count; i++) {
        union any_record record;
        arena_reset(scratch);
        if (collection->get(txn, scratch, page.ids.items[i], &record))
            record_to_json(&out, NULL, record_type_of(collection->class), &record);
    }
    json_out_end_array(&out);
    if (page.next != NULL)
        json_out_text(&out, "next", page.next);
    json_out_end_object(&out);
    return true;
}

static bool object_get(struct request *rq)
{
    const struct collection *collection = collection_of(rq);
    TRY(collection != NULL);
    union any_record record;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading");
    if (!collection->get(txn, rq->arena, rq->params[1], &record)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no %s in %s", rq->params[1],
                                   collection->name);
    }
    struct json_out out = reply_json(rq, 200);
    record_to_json(&out, NULL, record_type_of(collection->class), &record);
    return true;
}

#define READING_ROWS                                                                                                   \
    { "/healthz", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, healthz },                                                  \
        { "/roots/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, root_get },                                            \
        { "/intermediates/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, intermediate_get },                            \
        { "/api/external-keys", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, external_keys_get },                          \
        { "/api/limits", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, limits_get },                                        \
        { "/api/limits/overrides", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, limit_overrides_get },                     \
        { "/api/clock", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, clock_get },                                          \
        { "/api/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, list_get },                                              \
    {                                                                                                                  \
        "/api/{}/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, object_get                                              \
    }

static const struct route management_rows[] = { READING_ROWS };

static const struct route admin_rows[] = {
    READING_ROWS,
    { "/api/external-keys", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, external_key_post },
    { "/api/external-keys/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, external_key_change },
    { "/api/external-keys/{}/revoke", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, external_key_revoke },
    { "/api/webhook-events/{}/retry", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, webhook_retry },
    { "/api/accounts/{}/suspend", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, account_suspend },
    { "/api/accounts/{}/resume", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, account_resume },
    { "/api/external-keys/{}", METHOD_DELETE, PROOF_NONE, PAYLOAD_NONE, 0, external_key_delete },
    { "/api/dry-run", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, dry_run_post },
    { "/api/limits/reset", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, limits_reset_post },
    { "/api/limits/overrides", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, limit_override_post },
    { "/api/limits/overrides", METHOD_DELETE, PROOF_NONE, PAYLOAD_NONE, 0, limit_override_delete },
    { "/api/clock", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, clock_post },
    { UPKEEP_PATH "{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, upkeep_post },
};

const struct routes management_routes = { management_rows, ARRAY_SIZE(management_rows), .acme = false };
const struct routes admin_routes = { admin_rows, ARRAY_SIZE(admin_rows), .acme = false };
