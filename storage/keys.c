#include "storage/keys.h"

#include "base/crypto.h"
#include "base/encode.h"

#include <stdio.h>

static void add(struct key *key, const void *data, size_t len)
{
    CHECK(len <= sizeof key->data - key->len);
    memcpy(key->data + key->len, data, len);
    key->len += len;
}

static void add_byte(struct key *key, unsigned byte)
{
    add(key, &(uint8_t) { (uint8_t)byte }, 1);
}

struct key key_of_class(unsigned class)
{
    struct key key = { .len = 0 };
    add_byte(&key, class);
    return key;
}

static bool key_of_name(unsigned class, const char *name, size_t max_bytes, struct key *out)
{
    size_t len = strlen(name);
    TRY(len > 0 && len <= max_bytes);
    *out = key_of_class(class);
    add(out, name, len);
    return true;
}

bool key_of_record(unsigned class, const char *id, struct key *out)
{
    return key_of_name(class, id, STORE_ID_MAX_BYTES, out);
}

bool key_of_setting(const char *name, struct key *out)
{
    return key_of_name(KEY_CLASS_SETTING, name, SUBJECT_MAX_BYTES, out);
}

static void add_hash(struct key *key, struct bytes subject)
{
    uint8_t hash[SHA256_BYTES];
    crypto_digest_sha256(subject, hash);
    add_byte(key, '#');
    for (size_t i = 0; i < sizeof hash; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", hash[i]);
        add(key, hex, 2);
    }
}

struct key key_of_subject(enum store_index index, const char *subject)
{
    struct key key = key_of_class(index);
    size_t len = strlen(subject);
    if (len <= SUBJECT_MAX_BYTES)
        add(&key, subject, len);
    else
        add_hash(&key, bytes_text(subject));
    add_byte(&key, 0);
    return key;
}

void key_add_time(struct key *key, int64_t ms)
{
    CHECK(ms >= 0);
    for (int shift = 56; shift >= 0; shift -= 8)
        add_byte(key, (unsigned)(ms >> shift) & 0xff);
}

void key_add_id(struct key *key, const char *id)
{
    size_t len = strlen(id);
    CHECK(len > 0 && len <= STORE_ID_MAX_BYTES);
    add(key, id, len);
}

bool index_by_time(enum store_index index)
{
    return index == STORE_EXPIRY_ORDER || index == STORE_EXPIRY_AUTHORIZATION || index == STORE_EXPIRY_CERTIFICATE ||
           index == STORE_WEBHOOK_DUE;
}

static struct bytes id_part(struct bytes tail, bool by_time)
{
    size_t skip = by_time ? KEY_TIME_BYTES : 0;
    return tail.len < skip ? bytes_of(tail.data, 0) : bytes_of(tail.data + skip, tail.len - skip);
}

const char *key_id(struct arena *arena, struct bytes tail, bool by_time)
{
    return arena_text_of(arena, id_part(tail, by_time));
}

const char *key_position(struct arena *arena, struct bytes tail, bool by_time)
{
    struct bytes id = id_part(tail, by_time);
    AUTO_BUF(text, 2 * (size_t)KEY_MAX_BYTES);
    buf_hex(&text, bytes_of(tail.data, tail.len - id.len));
    buf_append(&text, id.data, id.len);
    return text.failed ? NULL : arena_text(arena, buf_str(&text));
}

bool key_add_position(struct key *key, const char *position, bool by_time)
{
    if (by_time) {
        char time[2 * KEY_TIME_BYTES + 1] = "";
        TRY(strlen(position) > sizeof time - 1);
        memcpy(time, position, sizeof time - 1);
        TRY(strspn(time, "0123456789abcdef") == sizeof time - 1 && time[0] < '8');
        key_add_time(key, (int64_t)strtoull(time, NULL, 16));
        position += sizeof time - 1;
    }
    size_t len = strlen(position);
    TRY(len > 0 && len <= STORE_ID_MAX_BYTES);
    add(key, position, len);
    return true;
}

struct key key_successor(struct bytes key)
{
    struct key next = { .len = 0 };
    add(&next, key.data, key.len);
    add_byte(&next, 0);
    return next;
}

struct key key_prefix_end(const struct key *prefix)
{
    struct key end = *prefix;
    add_byte(&end, 0xff);
    return end;
}
