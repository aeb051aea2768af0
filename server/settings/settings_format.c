/* Values as they would stand in a YAML file; texts are quoted as JSON does it, which YAML reads alike. */
#include "base/json.h"
#include "server/settings/settings_row.h"

static void format_quoted(struct buf *out, const char *text)
{
    struct json_out json = JSON_OUT(out, 0);
    json_out_text(&json, NULL, text);
}

static void format_list(struct buf *out, const char *const *items, size_t count)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i > 0 ? ", " : "");
        format_quoted(out, items[i]);
    }
    buf_char(out, ']');
}

static void format_hosts(struct buf *out, const struct setting_hosts *hosts)
{
    buf_char(out, '{');
    for (size_t i = 0; i < hosts->count; i++) {
        buf_text(out, i > 0 ? ",\n    " : "\n    ");
        format_quoted(out, hosts->items[i].name);
        buf_text(out, ": ");
        format_list(out, hosts->items[i].addresses, hosts->items[i].address_count);
    }
    buf_char(out, '}');
}

void setting_format(const struct setting_row *row, const struct settings *settings, struct buf *out)
{
    const void *field = (const char *)settings + row->offset;
    switch (row->kind) {
    case SETTING_KIND_BOOL:
        buf_text(out, *(const bool *)field ? "true" : "false");
        return;
    case SETTING_KIND_INTEGER:
    case SETTING_KIND_DURATION:
    case SETTING_KIND_SIZE:
        setting_format_number(row->kind, *(const int64_t *)field, out);
        return;
    case SETTING_KIND_ENDPOINTS:
    case SETTING_KIND_NAMES:
    case SETTING_KIND_CHOICES:
    case SETTING_KIND_NETWORKS:
    case SETTING_KIND_PATTERNS:
        format_list(out, ((const struct setting_texts *)field)->items, ((const struct setting_texts *)field)->count);
        return;
    case SETTING_KIND_HOSTS:
        format_hosts(out, field);
        return;
    case SETTING_KIND_TEXT:
    case SETTING_KIND_URL:
    case SETTING_KIND_RATE:
    case SETTING_KIND_CHOICE:
    case SETTING_KIND_ENDPOINT:
    case SETTING_KIND_RESOLVER:
        format_quoted(out, *(const char *const *)field);
        return;
    }
}
