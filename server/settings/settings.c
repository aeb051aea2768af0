#include "server/settings/settings_row.h"

#include "server/settings/nearest.h"
#include "server/protocol/persist.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

enum { SETTINGS_FILE_MAX = 1 << 20, SETTINGS_MEMORY_MAX = 16 << 20, ENVIRONMENT_NAME_MAX = 96 };

#define SAME    NULL
#define RESTART SETTING_RESTART
#define RELOAD  SETTING_RELOAD
const struct setting_row setting_rows[SETTING_COUNT] = {
#define X(field, kind, name, staging, private, least, most, choices, applies, sentence)                                \
    { name,                                                                                                            \
      SETTING_KIND_##kind,                                                                                             \
      { staging, private },                                                                                            \
      least,                                                                                                           \
      most,                                                                                                            \
      choices,                                                                                                         \
      applies,                                                                                                         \
      sentence,                                                                                                        \
      offsetof(struct settings, field) },
    SETTING_TABLE(X)
#undef X
};
#undef SAME
#undef RESTART
#undef RELOAD

static const char *const setting_names[SETTING_COUNT] = {
#define X(field, kind, name, ...) name,
    SETTING_TABLE(X)
#undef X
};

const char *setting_kind_text(enum setting_kind kind)
{
    static const char *const texts[] = {
#define X(kind, text) text,
        SETTING_KIND_TABLE(X)
#undef X
    };
    return texts[kind];
}

bool setting_find(const char *name, enum setting_id *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(name, setting_rows[i].name) == 0) {
            *out = (enum setting_id)i;
            return true;
        }
    return false;
}

bool setting_is_group(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strncmp(setting_rows[i].name, name, len) == 0 && setting_rows[i].name[len] == '.')
            return true;
    return false;
}

void setting_unknown(const char *name, char why[static SETTINGS_WHY_SIZE])
{
    const char *nearest = nearest_name(name, setting_names, SETTING_COUNT);
    if (nearest != NULL)
        snprintf(why, SETTINGS_WHY_SIZE, "unknown setting \"%.80s\"; did you mean \"%s\"?", name, nearest);
    else
        snprintf(why, SETTINGS_WHY_SIZE, "unknown setting \"%.80s\"; see caraway config reference", name);
}

bool setting_inputs_add(struct setting_inputs *inputs, const struct setting_input *input)
{
    TRY(inputs->count < SETTING_INPUTS_MAX);
    inputs->items[inputs->count++] = *input;
    return true;
}

static bool fail(char why[static SETTINGS_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static bool fail(char why[static SETTINGS_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, SETTINGS_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool add_text(struct arena *arena, struct setting_inputs *inputs, enum setting_id id, const char *origin,
                     const char *text, char why[static SETTINGS_WHY_SIZE])
{
    struct setting_input input = { .id = id, .shape = SETTING_SAYS_TEXT, .count = 1 };
    input.origin = arena_text(arena, origin);
    input.pairs = arena_array(arena, 1, sizeof *input.pairs);
    if (input.origin == NULL || input.pairs == NULL || !setting_inputs_add(inputs, &input))
        return fail(why, "%.100s: too many settings", origin);
    input.pairs[0].text = text;
    return true;
}

/* ---- the sources, weakest first */

static bool read_file(struct arena *arena, const char *path, struct setting_inputs *inputs,
                      char why[static SETTINGS_WHY_SIZE])
{
    AUTO_BUF(text, SETTINGS_FILE_MAX);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail(why, "cannot read the settings file %.200s: %s", path, strerror(errno));
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0 && !text.failed;)
        buf_append(&text, block, got);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error != 0)
        return fail(why, "cannot read the settings file %.200s: %s", path, strerror(error));
    if (text.failed)
        return fail(why, "the settings file %.200s is larger than %d bytes", path, SETTINGS_FILE_MAX);
    return settings_read_yaml(arena, path, buf_bytes(&text), inputs, why);
}

/* "validation.http-port" is CARAWAY_VALIDATION_HTTP_PORT. */
static void environment_name(const char *name, char out[static ENVIRONMENT_NAME_MAX])
{
    snprintf(out, ENVIRONMENT_NAME_MAX, "CARAWAY_%s", name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '.' || *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

/* Kubernetes gives every pod such variables for a Service called "caraway"; they are not meant for us. */
static bool from_a_service_link(const char *variable)
{
    return strncmp(variable, "CARAWAY_SERVICE_", 16) == 0 || strncmp(variable, "CARAWAY_PORT", 12) == 0;
}

static bool unknown_variable(const char *variable, char why[static SETTINGS_WHY_SIZE])
{
    char names[SETTING_COUNT][ENVIRONMENT_NAME_MAX];
    const char *pointers[SETTING_COUNT];
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        environment_name(setting_rows[i].name, names[i]);
        pointers[i] = names[i];
    }
    const char *nearest = nearest_name(variable, pointers, SETTING_COUNT);
    return fail(why, "unknown environment variable %.80s%s%s%s", variable, nearest != NULL ? "; did you mean " : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

static bool read_environment(struct arena *arena, const char *const *environment, struct setting_inputs *inputs,
                             char why[static SETTINGS_WHY_SIZE])
{
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *equals = strchr(*environment, '=');
        if (strncmp(*environment, "CARAWAY_", 8) != 0 || equals == NULL || from_a_service_link(*environment))
            continue;
        char variable[ENVIRONMENT_NAME_MAX], name[ENVIRONMENT_NAME_MAX];
        snprintf(variable, sizeof variable, "%.*s", (int)(equals - *environment), *environment);
        size_t id = 0;
        for (; id < SETTING_COUNT; id++) {
            environment_name(setting_rows[id].name, name);
            if (strcmp(name, variable) == 0)
                break;
        }
        if (id == SETTING_COUNT)
            return unknown_variable(variable, why);
        TRY(add_text(arena, inputs, (enum setting_id)id, variable, equals + 1, why));
    }
    return true;
}

static bool read_flags(struct arena *arena, const struct settings_sources *sources, struct setting_inputs *inputs,
                       char why[static SETTINGS_WHY_SIZE])
{
    for (size_t i = 0; i < sources->flag_count; i++) {
        const struct setting_flag *flag = &sources->flags[i];
        enum setting_id id;
        if (!setting_find(flag->name, &id)) {
            char unknown[SETTINGS_WHY_SIZE];
            setting_unknown(flag->name, unknown);
            return fail(why, "%s: %.400s", flag->shown, unknown);
        }
        TRY(add_text(arena, inputs, id, flag->shown, flag->value, why));
    }
    return true;
}

/* ---- putting them together */

static bool apply(struct settings *settings, const struct setting_input *input, char why[static SETTINGS_WHY_SIZE])
{
    TRY(setting_parse(settings->memory, input, (char *)settings + setting_rows[input->id].offset, why));
    settings->origin[input->id] = input->origin;
    return true;
}

static bool apply_defaults(struct settings *settings, enum setting_preset preset, char why[static SETTINGS_WHY_SIZE])
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *const *defaults = setting_rows[i].defaults;
        struct setting_pair pair = { .text = defaults[preset] != NULL ? defaults[preset] : defaults[PRESET_STAGING] };
        struct setting_input input = { .id = (enum setting_id)i, .origin = "default", .pairs = &pair, .count = 1 };
        TRY(apply(settings, &input, why));
    }
    return true;
}

static bool apply_all(struct settings *settings, const struct setting_inputs *inputs,
                      char why[static SETTINGS_WHY_SIZE])
{
    TRY(apply_defaults(settings, PRESET_STAGING, why));
    for (size_t i = 0; i < inputs->count; i++)
        if (inputs->items[i].id == SETTING_preset)
            TRY(apply(settings, &inputs->items[i], why));
    if (strcmp(settings->preset, "private") == 0)
        TRY(apply_defaults(settings, PRESET_PRIVATE, why));
    for (size_t i = 0; i < inputs->count; i++)
        TRY(apply(settings, &inputs->items[i], why));
    return true;
}

/* A certificate's life begins that much before it is signed. */
static bool check_lifetime(const struct settings *settings, char why[static SETTINGS_WHY_SIZE])
{
    AUTO_BUF(lifetime, 32);
    AUTO_BUF(backdate, 32);
    if (settings->ca_lifetime_ms > settings->ca_backdate_ms)
        return true;
    setting_format_number(SETTING_KIND_DURATION, settings->ca_lifetime_ms, &lifetime);
    setting_format_number(SETTING_KIND_DURATION, settings->ca_backdate_ms, &backdate);
    return fail(why,
                "ca.lifetime: %s is not longer than ca.backdate (%s), so certificates would have expired before they "
                "are signed; lower ca.backdate, too",
                buf_str(&lifetime), buf_str(&backdate));
}

static bool check_resolver(const struct settings *settings, char why[static SETTINGS_WHY_SIZE])
{
    const char *way = settings->dns_resolver;
    bool server = settings->dns_server[0] != '\0', forward = strcmp(way, "forward") == 0;
    if (!server && forward)
        return fail(why, "dns.resolver: forward needs a dns.server");
    return !server || forward || strcmp(way, "auto") == 0 ||
           fail(why, "dns.resolver: %s asks no dns.server; leave one of them out", way);
}

static bool check_together(const struct settings *settings, char why[static SETTINGS_WHY_SIZE])
{
    TRY(check_lifetime(settings, why));
    TRY(check_resolver(settings, why));
    if (settings->webhook_url[0] != '\0' && settings->webhook_secret_file[0] == '\0')
        return fail(why, "webhook.url needs webhook.secret-file, by which the receiver knows who posts");
    if (persist_is_offered(settings) && settings->caa_identities.count > PERSIST_ISSUERS_MAX)
        return fail(why, "caa-identities: the challenge dns-persist-01 can name at most %d, not %zu",
                    PERSIST_ISSUERS_MAX, settings->caa_identities.count);
    return true;
}

static bool collect(struct settings *settings, const struct settings_sources *sources, struct setting_inputs *inputs,
                    char why[static SETTINGS_WHY_SIZE])
{
    if (sources->file != NULL)
        TRY(read_file(settings->memory, sources->file, inputs, why));
    TRY(read_environment(settings->memory, sources->environment, inputs, why));
    TRY(read_flags(settings->memory, sources, inputs, why));
    return apply_all(settings, inputs, why) && check_together(settings, why);
}

struct settings *settings_read(const struct settings_sources *sources, char why[static SETTINGS_WHY_SIZE])
{
    AUTO(settings) settings = calloc(1, sizeof *settings);
    struct setting_inputs *inputs = calloc(1, sizeof *inputs);
    if (settings != NULL)
        settings->memory = arena_create(SETTINGS_MEMORY_MAX);
    bool ok = settings != NULL && settings->memory != NULL && inputs != NULL;
    if (!ok)
        fail(why, "out of memory");
    else
        ok = collect(settings, sources, inputs, why);
    free(inputs);
    return ok ? TAKE(settings) : NULL;
}

void settings_drop(struct settings *settings)
{
    if (settings == NULL)
        return;
    arena_drop(settings->memory);
    free(settings);
}
