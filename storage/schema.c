#include "storage/schema.h"

#include "storage/fields.h"
#include "storage/scan.h"

#include <stdio.h>

enum { RECORD_MAX_BYTES = 64 << 20 };

static const char setting[] = "schema-version";

/* A new database holds nothing yet. */
static void first_version(struct store_txn *txn)
{
    (void)txn;
}

void schema_modernize(const struct record_type *type, void *record)
{
    if (type != &record_type_external_key)
        return;
    struct external_key *key = record;
    if (key->bound == 0)
        key->bound = (int64_t)key->accounts.count;
    key->accounts = (struct texts) { 0 };
}

/* What is damaged stays as it is, for check to find. */
static void each_record(struct store_txn *txn, const struct record_type *type,
                        void (*work)(struct store_txn *txn, const struct record_type *type, void *record))
{
    AUTO(arena) arena = arena_create(RECORD_MAX_BYTES);
    struct scan scan = { .prefix = key_of_class(type->class) };
    struct bytes tail;
    if (arena == NULL || !scan_start(&scan, NULL))
        store_txn_fail(txn, STORE_NO_MEMORY);
    while (scan_next(txn, &scan, &tail)) {
        arena_reset(arena);
        const char *id = arena_text_of(arena, tail);
        void *record = arena_alloc(arena, type->size);
        enum store_status status =
            id != NULL && record != NULL ? store_read(txn, arena, type->class, id, record) : STORE_NO_MEMORY;
        if (status == STORE_NO_MEMORY)
            store_txn_fail(txn, status);
        else if (status == STORE_OK)
            work(txn, type, record);
    }
}

static void count_accounts(struct store_txn *txn, const struct record_type *type, void *record)
{
    schema_modernize(type, record);
    txn_put(txn, type, record);
}

static void index_account(struct store_txn *txn, const struct record_type *type, void *record)
{
    txn_put_index(txn, STORE_ACCOUNT_BY_EXTERNAL_KEY, type, record);
}

/* An external account key listed its accounts, however many; an index does. */
static void accounts_by_external_key(struct store_txn *txn)
{
    each_record(txn, &record_type_external_key, count_accounts);
    each_record(txn, &record_type_account, index_account);
}

static const struct migration steps[] = {
    { 1, first_version },
    { 2, accounts_by_external_key },
};
const struct schema store_schema = { steps, ARRAY_SIZE(steps) };

static unsigned newest(const struct schema *schema)
{
    return schema->steps[schema->count - 1].to;
}

static enum store_status refuse(struct store_txn *txn, enum store_status status)
{
    store_txn_fail(txn, status);
    return status;
}

static enum store_status read_version(struct store_txn *txn, const struct schema *schema, const char *where,
                                      unsigned *out, char why[static STORE_WHY_SIZE])
{
    AUTO(arena) arena = arena_create(KEY_MAX_BYTES * 2);
    if (arena == NULL)
        return refuse(txn, STORE_NO_MEMORY);
    const char *text = store_get_setting(txn, arena, setting);
    char *end = NULL;
    unsigned long version = text != NULL ? strtoul(text, &end, 10) : 0;
    if (text != NULL && (version == 0 || *end != '\0')) {
        snprintf(why, STORE_WHY_SIZE, "the database in %s has no readable schema version; restore a backup", where);
        return refuse(txn, STORE_CORRUPT);
    }
    if (version > newest(schema)) {
        snprintf(why, STORE_WHY_SIZE,
                 "the database in %s has schema version %lu, this program knows versions up to %u; run the newer "
                 "program, or restore a backup that this one made",
                 where, version, newest(schema));
        return refuse(txn, STORE_VERSION);
    }
    *out = (unsigned)version;
    snprintf(why, STORE_WHY_SIZE, "cannot read the database in %s: %s", where,
             store_status_text(store_txn_status(txn)));
    return store_txn_status(txn);
}

enum store_status schema_settle(struct store_txn *txn, const struct schema *schema, const char *where,
                                char why[static STORE_WHY_SIZE])
{
    unsigned version;
    snprintf(why, STORE_WHY_SIZE, "%s", store_status_text(STORE_NO_MEMORY));
    enum store_status status = read_version(txn, schema, where, &version, why);
    if (status != STORE_OK || version == newest(schema))
        return status;
    for (size_t i = 0; i < schema->count; i++)
        if (schema->steps[i].to > version)
            schema->steps[i].run(txn);
    char text[16];
    snprintf(text, sizeof text, "%u", newest(schema));
    store_put_setting(txn, setting, text);
    if (store_txn_status(txn) != STORE_OK)
        snprintf(why, STORE_WHY_SIZE, "cannot bring the database in %s to schema version %u: %s", where, newest(schema),
                 store_status_text(store_txn_status(txn)));
    return store_txn_status(txn);
}
