/* Reading ids in order: one unique id, a page of an index, a page of a class. */
#include "storage/scan.h"

static bool begins_with(struct bytes key, const struct key *prefix)
{
    return key.len > prefix->len && memcmp(key.data, prefix->data, prefix->len) == 0;
}

bool scan_next(struct store_txn *txn, struct scan *scan, struct bytes *out_tail)
{
    if (txn->status != STORE_OK)
        return false;
    struct bytes key;
    const struct store_driver *driver = txn->driver;
    TRY(txn_note(txn, (scan->newest_first ? driver->seek_before : driver->seek)(txn->txn, key_bytes(&scan->at), &key)));
    TRY(begins_with(key, &scan->prefix));
    if (key.len > KEY_MAX_BYTES - 1) {
        store_txn_fail(txn, STORE_CORRUPT);
        return false;
    }
    *out_tail = bytes_of(key.data + scan->prefix.len, key.len - scan->prefix.len);
    scan->at = key_successor(key);
    if (scan->newest_first)
        scan->at.len--;
    return true;
}

bool scan_start(struct scan *scan, const char *after)
{
    scan->at = scan->newest_first ? key_prefix_end(&scan->prefix) : scan->prefix;
    if (after == NULL)
        return true;
    scan->at = scan->prefix;
    TRY(key_add_position(&scan->at, after, scan->by_time));
    if (!scan->newest_first)
        scan->at = key_successor(key_bytes(&scan->at));
    return true;
}

static bool out_of_memory(struct store_txn *txn)
{
    store_txn_fail(txn, STORE_NO_MEMORY);
    return false;
}

static bool scan_page(struct store_txn *txn, struct arena *arena, struct scan *scan, const char *after, size_t limit,
                      struct store_page *out)
{
    CHECK(limit > 0);
    TRY(scan_start(scan, after));
    struct store_page page = { 0 };
    limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    page.ids.items = arena_array(arena, limit, sizeof *page.ids.items);
    if (page.ids.items == NULL)
        return out_of_memory(txn);
    struct bytes tail;
    while (page.ids.count < limit && scan_next(txn, scan, &tail)) {
        page.next = page.ids.count + 1 == limit ? key_position(arena, tail, scan->by_time) : "";
        const char *id = key_id(arena, tail, scan->by_time);
        if (id == NULL || page.next == NULL)
            return out_of_memory(txn);
        page.ids.items[page.ids.count++] = id;
    }
    /* the last id is a position to go on from only when something follows it */
    if (page.ids.count < limit || !scan_next(txn, scan, &tail))
        page.next = NULL;
    TRY(txn->status == STORE_OK);
    *out = page;
    return true;
}

const char *store_find(struct store_txn *txn, struct arena *arena, enum store_index index, const char *subject)
{
    struct scan scan = { .prefix = key_of_subject(index, subject), .by_time = index_by_time(index) };
    struct bytes tail;
    if (!scan_start(&scan, NULL) || !scan_next(txn, &scan, &tail))
        return NULL;
    const char *id = key_id(arena, tail, scan.by_time);
    if (id == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    return id;
}

bool store_list(struct store_txn *txn, struct arena *arena, enum store_index index, const char *subject,
                const char *after, size_t limit, bool newest_first, struct store_page *out)
{
    struct scan scan = { .prefix = key_of_subject(index, subject),
                         .by_time = index_by_time(index),
                         .newest_first = newest_first };
    return scan_page(txn, arena, &scan, after, limit, out);
}

/* No id begins with a byte as low as '-'. */
const char *store_position_from(struct arena *arena, int64_t ms)
{
    return arena_printf(arena, "%016llx-", (unsigned long long)(ms > 0 ? ms : 0));
}

bool store_list_all(struct store_txn *txn, struct arena *arena, enum record_class class, const char *after,
                    size_t limit, bool newest_first, struct store_page *out)
{
    struct scan scan = { .prefix = key_of_class(class), .newest_first = newest_first };
    return scan_page(txn, arena, &scan, after, limit, out);
}
