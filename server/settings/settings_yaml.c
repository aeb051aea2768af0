/* The YAML file (YAML 1.1, of which JSON is a part) as inputs. What it may hold is known, so depth and size are bounded
 * by the table; anchors, aliases and tags are refused, since nothing here needs them and a few bytes of them can unfold
 * into gigabytes. */
#include "server/settings/settings_row.h"

#include <stdio.h>
#include <yaml.h>

enum { YAML_NAME_MAX = 128 };

struct yaml_reader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *file;
    struct setting_inputs *inputs;
    char *why;
};

#define AUTO_EVENT __attribute__((cleanup(yaml_event_delete))) yaml_event_t

static bool yaml_refuse(const struct yaml_reader *reader, size_t line, const char *format, ...) PRINTF_LIKE(3, 4);
static bool yaml_refuse(const struct yaml_reader *reader, size_t line, const char *format, ...)
{
    char reason[SETTINGS_WHY_SIZE / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    snprintf(reader->why, SETTINGS_WHY_SIZE, "%.200s:%zu: %s", reader->file, line + 1, reason);
    return false;
}

static bool yaml_plain(const struct yaml_reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_ALIAS_EVENT)
        anchor = event->data.alias.anchor;
    else if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor != NULL || tag != NULL)
        return yaml_refuse(reader, event->start_mark.line, "anchors, aliases and tags are not taken; write it out");
    return true;
}

static bool yaml_next(struct yaml_reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 0) {
        const char *problem = reader->parser.problem != NULL ? reader->parser.problem : "out of memory";
        size_t line = reader->parser.problem_mark.line;
        *event = (yaml_event_t) { .type = YAML_NO_EVENT };
        return yaml_refuse(reader, line, "not YAML: %.150s", problem);
    }
    return yaml_plain(reader, event);
}

/* The scalar's text; an unquoted null is the empty text. */
static bool yaml_text(struct yaml_reader *reader, const yaml_event_t *event, const char **out)
{
    if (event->type != YAML_SCALAR_EVENT)
        return yaml_refuse(reader, event->start_mark.line, "a plain value is expected, not a list or map");
    struct bytes text = bytes_of(event->data.scalar.value, event->data.scalar.length);
    if (memchr(event->data.scalar.value, 0, text.len) != NULL)
        return yaml_refuse(reader, event->start_mark.line, "the value holds a NUL byte");
    bool bare = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (bare && (bytes_equal_text(text, "null") || bytes_equal_text(text, "~")))
        text.len = 0;
    const char *copy = arena_text_of(reader->arena, text);
    if (copy == NULL)
        return yaml_refuse(reader, event->start_mark.line, "out of memory");
    *out = copy;
    return true;
}

static bool yaml_pair(struct yaml_reader *reader, const yaml_event_t *event, const char *key,
                      struct setting_input *input)
{
    const char *text = NULL;
    TRY(yaml_text(reader, event, &text));
    if (input->count == SETTING_PAIRS_MAX)
        return yaml_refuse(reader, event->start_mark.line, "more than %d entries", SETTING_PAIRS_MAX);
    input->pairs[input->count++] = (struct setting_pair) { key, text };
    return true;
}

/* The items behind a sequence's start, all under one key. */
static bool yaml_sequence(struct yaml_reader *reader, const char *key, struct setting_input *input)
{
    for (;;) {
        AUTO_EVENT event = { .type = YAML_NO_EVENT };
        TRY(yaml_next(reader, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        TRY(yaml_pair(reader, &event, key, input));
    }
}

/* A map's rest: each value is one text or a sequence of texts. */
static bool yaml_map(struct yaml_reader *reader, struct setting_input *input)
{
    for (;;) {
        AUTO_EVENT key_event = { .type = YAML_NO_EVENT };
        AUTO_EVENT event = { .type = YAML_NO_EVENT };
        const char *key = NULL;
        TRY(yaml_next(reader, &key_event));
        if (key_event.type == YAML_MAPPING_END_EVENT)
            return true;
        TRY(yaml_text(reader, &key_event, &key));
        TRY(yaml_next(reader, &event));
        if (event.type == YAML_SEQUENCE_START_EVENT)
            TRY(yaml_sequence(reader, key, input));
        else
            TRY(yaml_pair(reader, &event, key, input));
    }
}

static bool yaml_once(const struct yaml_reader *reader, size_t line, enum setting_id id)
{
    for (size_t i = 0; i < reader->inputs->count; i++)
        if (reader->inputs->items[i].id == id)
            return yaml_refuse(reader, line, "%s stands twice, first at %.200s", setting_rows[id].name,
                               reader->inputs->items[i].origin);
    return true;
}

static bool yaml_setting(struct yaml_reader *reader, size_t line, enum setting_id id)
{
    AUTO_EVENT event = { .type = YAML_NO_EVENT };
    TRY(yaml_once(reader, line, id));
    TRY(yaml_next(reader, &event));
    struct setting_input input = { .id = id };
    input.origin = arena_printf(reader->arena, "%s:%zu", reader->file, line + 1);
    input.pairs =
        arena_array(reader->arena, event.type == YAML_SCALAR_EVENT ? 1 : SETTING_PAIRS_MAX, sizeof *input.pairs);
    if (input.origin == NULL || input.pairs == NULL)
        return yaml_refuse(reader, line, "out of memory");
    if (event.type == YAML_SEQUENCE_START_EVENT) {
        input.shape = SETTING_SAYS_LIST;
        TRY(yaml_sequence(reader, NULL, &input));
    } else if (event.type == YAML_MAPPING_START_EVENT) {
        input.shape = SETTING_SAYS_MAP;
        TRY(yaml_map(reader, &input));
    } else
        TRY(yaml_pair(reader, &event, NULL, &input));
    return setting_inputs_add(reader->inputs, &input) || yaml_refuse(reader, line, "too many settings");
}

/* Recursion ends with the table: a group is only entered while some setting's name begins with it. */
static bool yaml_group(struct yaml_reader *reader, const char *prefix)
{
    for (;;) {
        AUTO_EVENT event = { .type = YAML_NO_EVENT };
        AUTO_EVENT value = { .type = YAML_NO_EVENT };
        const char *key = NULL;
        TRY(yaml_next(reader, &event));
        if (event.type == YAML_MAPPING_END_EVENT)
            return true;
        TRY(yaml_text(reader, &event, &key));
        size_t line = event.start_mark.line;
        char name[YAML_NAME_MAX], why[SETTINGS_WHY_SIZE];
        snprintf(name, sizeof name, "%.60s%s%.60s", prefix, *prefix == '\0' ? "" : ".", key);
        enum setting_id id;
        if (setting_find(name, &id)) {
            TRY(yaml_setting(reader, line, id));
            continue;
        }
        if (!setting_is_group(name)) {
            setting_unknown(name, why);
            return yaml_refuse(reader, line, "%.250s", why);
        }
        TRY(yaml_next(reader, &value));
        if (value.type != YAML_MAPPING_START_EVENT)
            return yaml_refuse(reader, line, "%s is a group of settings; write them below it", name);
        TRY(yaml_group(reader, name));
    }
}

static bool yaml_document(struct yaml_reader *reader)
{
    AUTO_EVENT start = { .type = YAML_NO_EVENT };
    AUTO_EVENT document = { .type = YAML_NO_EVENT };
    AUTO_EVENT root = { .type = YAML_NO_EVENT };
    AUTO_EVENT end = { .type = YAML_NO_EVENT };
    AUTO_EVENT last = { .type = YAML_NO_EVENT };
    TRY(yaml_next(reader, &start));
    TRY(yaml_next(reader, &document));
    if (document.type == YAML_STREAM_END_EVENT)
        return true;
    TRY(yaml_next(reader, &root));
    if (root.type != YAML_MAPPING_START_EVENT)
        return yaml_refuse(reader, root.start_mark.line, "settings are expected, one \"name: value\" a line");
    TRY(yaml_group(reader, ""));
    TRY(yaml_next(reader, &end));
    TRY(yaml_next(reader, &last));
    if (last.type != YAML_STREAM_END_EVENT)
        return yaml_refuse(reader, last.start_mark.line, "a second document is not taken");
    return true;
}

bool settings_read_yaml(struct arena *arena, const char *file, struct bytes text, struct setting_inputs *inputs,
                        char why[static SETTINGS_WHY_SIZE])
{
    struct yaml_reader reader = { .arena = arena, .file = file, .inputs = inputs, .why = why };
    if (yaml_parser_initialize(&reader.parser) == 0)
        return yaml_refuse(&reader, 0, "out of memory");
    yaml_parser_set_input_string(&reader.parser, text.data, text.len);
    bool ok = yaml_document(&reader);
    yaml_parser_delete(&reader.parser);
    return ok;
}
