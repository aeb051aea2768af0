#include "storage/indexes.h"

#include "base/encode.h"

enum { KEYS_FIRST = 16 };

static bool keys_grow(struct index_keys *keys)
{
    if (keys->count < keys->capacity)
        return true;
    size_t capacity = keys->capacity == 0 ? KEYS_FIRST : keys->capacity * 2;
    struct bytes *items = arena_array(keys->arena, capacity, sizeof *items);
    TRY(items != NULL);
    if (keys->count > 0)
        memcpy(items, keys->items, keys->count * sizeof *items);
    keys->items = items;
    keys->capacity = capacity;
    return true;
}

static bool keys_add(struct index_keys *keys, struct bytes key)
{
    TRY(keys_grow(keys));
    const char *copy = arena_text_of(keys->arena, key);
    TRY(copy != NULL);
    keys->items[keys->count++] = bytes_of(copy, key.len);
    return true;
}

/* NULL subject: memory was out when it was built. Two names of one certificate may have one subject. */
static void emit(struct index_keys *keys, enum store_index index, const char *subject, const char *id)
{
    if (subject == NULL) {
        keys->failed = true;
        return;
    }
    struct key key = key_of_subject(index, subject);
    key_add_id(&key, id);
    if (!index_keys_contain(keys, key_bytes(&key)))
        keys->failed |= !keys_add(keys, key_bytes(&key));
}

static void emit_expiry(struct index_keys *keys, enum store_index index, int64_t expires_ms, const char *id)
{
    if (expires_ms <= 0)
        return;
    struct key key = key_of_subject(index, "");
    key_add_time(&key, expires_ms);
    key_add_id(&key, id);
    keys->failed |= !keys_add(keys, key_bytes(&key));
}

static void emit_ACCOUNT_BY_KEY(struct index_keys *keys, const void *record)
{
    const struct account *account = record;
    if (account->thumbprint != NULL)
        emit(keys, STORE_ACCOUNT_BY_KEY, account->thumbprint, account->id);
}

static void emit_ACCOUNT_BY_EXTERNAL_KEY(struct index_keys *keys, const void *record)
{
    const struct account *account = record;
    if (account->external_key != NULL)
        emit(keys, STORE_ACCOUNT_BY_EXTERNAL_KEY, account->external_key, account->id);
}

static void emit_ORDER_BY_ACCOUNT(struct index_keys *keys, const void *record)
{
    const struct order *order = record;
    if (order->account != NULL)
        emit(keys, STORE_ORDER_BY_ACCOUNT, order->account, order->id);
}

static void emit_AUTHORIZATION_BY_NAME(struct index_keys *keys, const void *record)
{
    const struct authorization *authz = record;
    if (authz->state != AUTHORIZATION_VALID || authz->account == NULL || authz->identifier.value == NULL)
        return;
    enum authorization_scope scope = authz->subdomains ? SCOPE_SUBDOMAINS
                                     : authz->wildcard ? SCOPE_WILDCARD
                                                       : SCOPE_NAME;
    const char *subject = store_subject_of_authorization(keys->arena, authz->account, &authz->identifier, scope);
    emit(keys, STORE_AUTHORIZATION_BY_NAME, subject, authz->id);
}

static void emit_AUTHORIZATION_PROCESSING(struct index_keys *keys, const void *record)
{
    const struct authorization *authz = record;
    for (size_t i = 0; i < authz->challenges.count; i++)
        if (authz->challenges.items[i].state == CHALLENGE_PROCESSING)
            emit(keys, STORE_AUTHORIZATION_PROCESSING, "", authz->id);
}

static void emit_CERTIFICATE_BY_ACCOUNT(struct index_keys *keys, const void *record)
{
    const struct certificate *certificate = record;
    if (certificate->account != NULL)
        emit(keys, STORE_CERTIFICATE_BY_ACCOUNT, certificate->account, certificate->serial);
}

static void emit_CERTIFICATE_BY_NAME(struct index_keys *keys, const void *record)
{
    const struct certificate *certificate = record;
    for (size_t i = 0; i < certificate->identifiers.count; i++) {
        const char *subject = store_subject_of_name(keys->arena, &certificate->identifiers.items[i]);
        emit(keys, STORE_CERTIFICATE_BY_NAME, subject, certificate->serial);
    }
}

static void emit_CERTIFICATE_BY_SET(struct index_keys *keys, const void *record)
{
    const struct certificate *certificate = record;
    if (certificate->identifiers.count > 0) {
        const char *subject = store_subject_of_set(keys->arena, &certificate->identifiers);
        emit(keys, STORE_CERTIFICATE_BY_SET, subject, certificate->serial);
    }
}

static void emit_CERTIFICATE_BY_KEY(struct index_keys *keys, const void *record)
{
    const struct certificate *certificate = record;
    if (certificate->key_hash.len > 0)
        emit(keys, STORE_CERTIFICATE_BY_KEY, arena_hex(keys->arena, certificate->key_hash), certificate->serial);
}

static void emit_EXPIRY_ORDER(struct index_keys *keys, const void *record)
{
    const struct order *order = record;
    emit_expiry(keys, STORE_EXPIRY_ORDER, order->expires_ms, order->id);
}

static void emit_ORDER_PROCESSING(struct index_keys *keys, const void *record)
{
    const struct order *order = record;
    if (order->state == ORDER_PROCESSING)
        emit(keys, STORE_ORDER_PROCESSING, "", order->id);
}

static void emit_PAUSE_BY_ACCOUNT(struct index_keys *keys, const void *record)
{
    const struct pause *pause = record;
    if (pause->paused_ms != 0 && pause->account != NULL)
        emit(keys, STORE_PAUSE_BY_ACCOUNT, pause->account, pause->id);
}

static void emit_WEBHOOK_DUE(struct index_keys *keys, const void *record)
{
    const struct webhook_event *event = record;
    emit_expiry(keys, STORE_WEBHOOK_DUE, event->next_ms, event->id);
}

static void emit_EXPIRY_AUTHORIZATION(struct index_keys *keys, const void *record)
{
    const struct authorization *authz = record;
    emit_expiry(keys, STORE_EXPIRY_AUTHORIZATION, authz->expires_ms, authz->id);
}

static void emit_EXPIRY_CERTIFICATE(struct index_keys *keys, const void *record)
{
    const struct certificate *certificate = record;
    emit_expiry(keys, STORE_EXPIRY_CERTIFICATE, certificate->not_after_ms, certificate->serial);
}

static const struct {
    enum record_class class;
    void (*emit)(struct index_keys *keys, const void *record);
} indexes[] = {
#define X(name, record, number) { RECORD_##record, emit_##name },
    STORE_INDEX_TABLE(X)
#undef X
};

void index_keys_of(struct index_keys *keys, enum record_class class, const void *record)
{
    for (size_t i = 0; i < ARRAY_SIZE(indexes); i++)
        if (indexes[i].class == class)
            indexes[i].emit(keys, record);
}

bool index_keys_contain(const struct index_keys *keys, struct bytes key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (bytes_equal(keys->items[i], key))
            return true;
    return false;
}
