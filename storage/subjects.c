#include "storage/store.h"

#include "base/crypto.h"
#include "base/encode.h"

/* Longer than any subject of a canonical identifier. */
enum { SUBJECT_BUF_MAX = 4096 };

static const char *finish(struct arena *arena, const struct buf *text)
{
    return text->failed ? NULL : arena_text(arena, buf_str(text));
}

static void add_identifier(struct buf *out, const struct acme_identifier *identifier)
{
    buf_text(out, identifier_type_text(identifier->type));
    buf_char(out, ':');
    buf_text(out, identifier->value);
}

/* Reversed labels make a domain the prefix of the names under it. */
static void add_reversed(struct buf *out, const char *name)
{
    for (size_t end = strlen(name);; end--) {
        size_t start = end;
        while (start > 0 && name[start - 1] != '.')
            start--;
        buf_append(out, name + start, end - start);
        if (start == 0)
            return;
        buf_char(out, '.');
        end = start;
    }
}

const char *store_subject_of_name(struct arena *arena, const struct acme_identifier *identifier)
{
    AUTO_BUF(text, SUBJECT_BUF_MAX);
    if (identifier->type == IDENTIFIER_DNS) {
        buf_printf(&text, "%s:", identifier_type_text(identifier->type));
        add_reversed(&text, identifier->value);
    } else {
        add_identifier(&text, identifier);
    }
    return finish(arena, &text);
}

const char *store_subject_of_set(struct arena *arena, const struct identifiers *set)
{
    struct acme_identifier *sorted = arena_array(arena, set->count, sizeof *sorted);
    if (sorted == NULL)
        return NULL;
    if (set->count > 0)
        memcpy(sorted, set->items, set->count * sizeof *sorted);
    size_t count = identifier_sort_unique(sorted, set->count);
    AUTO_BUF(text, set->count * (size_t)SUBJECT_BUF_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&text, ',');
        add_identifier(&text, &sorted[i]);
    }
    uint8_t hash[SHA256_BYTES];
    crypto_digest_sha256(buf_bytes(&text), hash);
    return text.failed ? NULL : arena_hex(arena, bytes_of(hash, sizeof hash));
}

const char *store_subject_of_authorization(struct arena *arena, const char *account,
                                           const struct acme_identifier *identifier, enum authorization_scope scope)
{
    static const char *const marks[] = { [SCOPE_NAME] = "", [SCOPE_WILDCARD] = "*.", [SCOPE_SUBDOMAINS] = "**." };
    AUTO_BUF(text, SUBJECT_BUF_MAX);
    buf_printf(&text, "%s/%s:%s%s", account, identifier_type_text(identifier->type), marks[scope], identifier->value);
    return finish(arena, &text);
}
