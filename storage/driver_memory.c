/* An ordered map in memory as an AVL tree whose nodes are shared between versions: a reader keeps the root it began
 * with, the writer copies only the nodes that others hold too. So neither ever waits for the other. */
#include "storage/driver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct entry {
    atomic_size_t refs;
    size_t key_len;
    size_t value_len;
    uint8_t data[]; /* key, value */
};

struct node {
    atomic_size_t refs;
    int height;
    struct node *left, *right;
    struct entry *entry;
};

struct memory {
    pthread_mutex_t lock; /* guards root and bytes */
    struct node *root;
    size_t bytes;
    size_t max_bytes;
};

struct memory_txn {
    struct memory *db;
    struct node *root;
    size_t bytes;
};

static struct entry *entry_create(struct bytes key, struct bytes value)
{
    struct entry *entry = malloc(sizeof *entry + key.len + value.len);
    if (entry == NULL)
        return NULL;
    atomic_init(&entry->refs, 1);
    entry->key_len = key.len;
    entry->value_len = value.len;
    memcpy(entry->data, key.data, key.len);
    if (value.len > 0)
        memcpy(entry->data + key.len, value.data, value.len);
    return entry;
}

static void entry_drop(struct entry *entry)
{
    if (entry != NULL && atomic_fetch_sub(&entry->refs, 1) == 1)
        free(entry);
}

static struct bytes entry_key(const struct entry *entry)
{
    return bytes_of(entry->data, entry->key_len);
}

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof *entry + sizeof(struct node) + entry->key_len + entry->value_len;
}

static struct node *node_ref(struct node *node)
{
    if (node != NULL)
        atomic_fetch_add(&node->refs, 1);
    return node;
}

static void node_drop(struct node *node)
{
    if (node == NULL || atomic_fetch_sub(&node->refs, 1) > 1)
        return;
    node_drop(node->left);
    node_drop(node->right);
    entry_drop(node->entry);
    free(node);
}

static struct node *node_create(struct entry *entry, struct node *left, struct node *right, int height)
{
    struct node *node = malloc(sizeof *node);
    if (node == NULL)
        return NULL;
    atomic_init(&node->refs, 1);
    atomic_fetch_add(&entry->refs, 1);
    node->entry = entry;
    node->left = node_ref(left);
    node->right = node_ref(right);
    node->height = height;
    return node;
}

/* Replaces *slot by a copy unless nobody else holds it. *slot must hang on nodes that are our own up to the root. */
static bool make_own(struct node **slot)
{
    struct node *node = *slot;
    if (atomic_load(&node->refs) == 1)
        return true;
    struct node *copy = node_create(node->entry, node->left, node->right, node->height);
    TRY(copy != NULL);
    node_drop(node);
    *slot = copy;
    return true;
}

static int height_of(const struct node *node)
{
    return node != NULL ? node->height : 0;
}

static void set_height(struct node *node)
{
    int left = height_of(node->left), right = height_of(node->right);
    node->height = 1 + (left > right ? left : right);
}

static bool rotate_right(struct node **slot)
{
    struct node *top = *slot;
    TRY(make_own(&top->left));
    struct node *left = top->left;
    top->left = left->right;
    left->right = top;
    set_height(top);
    set_height(left);
    *slot = left;
    return true;
}

static bool rotate_left(struct node **slot)
{
    struct node *top = *slot;
    TRY(make_own(&top->right));
    struct node *right = top->right;
    top->right = right->left;
    right->left = top;
    set_height(top);
    set_height(right);
    *slot = right;
    return true;
}

/* Our own *slot, one of whose sides has changed its height by one. */
static bool balance(struct node **slot)
{
    struct node *node = *slot;
    int lean = height_of(node->left) - height_of(node->right);
    if (lean > 1) {
        TRY(make_own(&node->left));
        if (height_of(node->left->left) < height_of(node->left->right))
            TRY(rotate_left(&node->left));
        return rotate_right(slot);
    }
    if (lean < -1) {
        TRY(make_own(&node->right));
        if (height_of(node->right->right) < height_of(node->right->left))
            TRY(rotate_right(&node->right));
        return rotate_left(slot);
    }
    set_height(node);
    return true;
}

static int compare(struct bytes a, struct bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static void replace_entry(struct node *node, struct entry *entry)
{
    atomic_fetch_add(&entry->refs, 1);
    entry_drop(node->entry);
    node->entry = entry;
}

static bool insert(struct node **slot, struct entry *entry)
{
    if (*slot == NULL) {
        *slot = node_create(entry, NULL, NULL, 1);
        return *slot != NULL;
    }
    TRY(make_own(slot));
    int order = compare(entry_key(entry), entry_key((*slot)->entry));
    if (order == 0) {
        replace_entry(*slot, entry);
        return true;
    }
    TRY(insert(order < 0 ? &(*slot)->left : &(*slot)->right, entry));
    return balance(slot);
}

static void unlink_node(struct node **slot)
{
    struct node *node = *slot;
    *slot = node->left != NULL ? TAKE(node->left) : TAKE(node->right);
    node_drop(node);
}

/* Removes `key`, which is there. */
static bool take_out(struct node **slot, struct bytes key)
{
    TRY(make_own(slot));
    struct node *node = *slot;
    int order = compare(key, entry_key(node->entry));
    if (order == 0 && (node->left == NULL || node->right == NULL)) {
        unlink_node(slot);
        return true;
    }
    if (order == 0) {
        const struct node *next = node->right;
        while (next->left != NULL)
            next = next->left;
        replace_entry(node, next->entry);
        TRY(take_out(&node->right, entry_key(node->entry)));
    } else {
        TRY(take_out(order < 0 ? &node->left : &node->right, key));
    }
    return balance(slot);
}

static const struct entry *find(const struct node *node, struct bytes key)
{
    while (node != NULL) {
        int order = compare(key, entry_key(node->entry));
        if (order == 0)
            return node->entry;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

static enum store_status memory_open(const struct store_options *options, void **out_db,
                                     char why[static STORE_WHY_SIZE])
{
    struct memory *db = calloc(1, sizeof *db);
    if (db == NULL) {
        snprintf(why, STORE_WHY_SIZE, "out of memory");
        return STORE_NO_MEMORY;
    }
    pthread_mutex_init(&db->lock, NULL);
    db->max_bytes = store_max_bytes(options);
    *out_db = db;
    return STORE_OK;
}

static void memory_close(void *arg)
{
    struct memory *db = arg;
    node_drop(db->root);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

static enum store_status memory_begin(void *arg, bool write, void **out_txn)
{
    (void)write;
    struct memory *db = arg;
    struct memory_txn *txn = malloc(sizeof *txn);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    pthread_mutex_lock(&db->lock);
    *txn = (struct memory_txn) { db, node_ref(db->root), db->bytes };
    pthread_mutex_unlock(&db->lock);
    *out_txn = txn;
    return STORE_OK;
}

static void memory_abort(void *arg)
{
    struct memory_txn *txn = arg;
    node_drop(txn->root);
    free(txn);
}

static enum store_status memory_commit(void *arg)
{
    struct memory_txn *txn = arg;
    struct memory *db = txn->db;
    pthread_mutex_lock(&db->lock);
    struct node *old = db->root;
    db->root = TAKE(txn->root);
    db->bytes = txn->bytes;
    pthread_mutex_unlock(&db->lock);
    node_drop(old);
    memory_abort(txn);
    return STORE_OK;
}

static enum store_status memory_get(void *arg, struct bytes key, struct bytes *out_value)
{
    struct memory_txn *txn = arg;
    const struct entry *entry = find(txn->root, key);
    if (entry == NULL)
        return STORE_NOT_FOUND;
    *out_value = bytes_of(entry->data + entry->key_len, entry->value_len);
    return STORE_OK;
}

static enum store_status memory_put(void *arg, struct bytes key, struct bytes value)
{
    struct memory_txn *txn = arg;
    struct entry *entry = entry_create(key, value);
    if (entry == NULL)
        return STORE_NO_MEMORY;
    const struct entry *old = find(txn->root, key);
    txn->bytes += entry_bytes(entry) - (old != NULL ? entry_bytes(old) : 0);
    bool fits = txn->bytes <= txn->db->max_bytes;
    bool done = fits && insert(&txn->root, entry);
    entry_drop(entry);
    if (!fits)
        return STORE_FULL;
    return done ? STORE_OK : STORE_NO_MEMORY;
}

static enum store_status memory_del(void *arg, struct bytes key)
{
    struct memory_txn *txn = arg;
    const struct entry *old = find(txn->root, key);
    if (old == NULL)
        return STORE_NOT_FOUND;
    txn->bytes -= entry_bytes(old);
    return take_out(&txn->root, key) ? STORE_OK : STORE_NO_MEMORY;
}

static enum store_status memory_seek(void *arg, struct bytes key, struct bytes *out_key)
{
    struct memory_txn *txn = arg;
    const struct entry *best = NULL;
    for (const struct node *node = txn->root; node != NULL;) {
        bool here_or_left = compare(entry_key(node->entry), key) >= 0;
        best = here_or_left ? node->entry : best;
        node = here_or_left ? node->left : node->right;
    }
    if (best == NULL)
        return STORE_NOT_FOUND;
    *out_key = entry_key(best);
    return STORE_OK;
}

static enum store_status memory_seek_before(void *arg, struct bytes key, struct bytes *out_key)
{
    struct memory_txn *txn = arg;
    const struct entry *best = NULL;
    for (const struct node *node = txn->root; node != NULL;) {
        bool here_or_right = compare(entry_key(node->entry), key) < 0;
        best = here_or_right ? node->entry : best;
        node = here_or_right ? node->right : node->left;
    }
    if (best == NULL)
        return STORE_NOT_FOUND;
    *out_key = entry_key(best);
    return STORE_OK;
}

const struct store_driver driver_memory = { "memory",           memory_open, memory_close, memory_begin, memory_commit,
                                            memory_abort,       memory_get,  memory_put,   memory_del,   memory_seek,
                                            memory_seek_before, NULL,        NULL };
