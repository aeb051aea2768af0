/* The inside of the settings: the table as data, what the sources say as texts, and each kind's way between text and
 * value. For settings*.c and the config command only. */
#pragma once

#include "base/arena.h"
#include "server/settings/settings.h"

enum setting_kind {
#define X(kind, text) SETTING_KIND_##kind,
    SETTING_KIND_TABLE(X)
#undef X
};

enum setting_preset { PRESET_STAGING, PRESET_PRIVATE, PRESETS };

enum setting_applies { SETTING_RESTART, SETTING_RELOAD };

struct setting_row {
    const char *name;
    enum setting_kind kind;
    const char *defaults[PRESETS];
    int64_t least, most;
    const char *choices; /* "a|b|c" */
    enum setting_applies applies;
    const char *sentence;
    size_t offset; /* of the field in struct settings */
};
extern const struct setting_row setting_rows[SETTING_COUNT];

const char *setting_kind_text(enum setting_kind kind);
MUST_USE bool setting_find(const char *name, enum setting_id *out);
/* True when names begin with `name` and a dot. */
bool setting_is_group(const char *name);
/* `unknown setting "lisen"; did you mean "listen"?` */
void setting_unknown(const char *name, char why[static SETTINGS_WHY_SIZE]);

/* What one source says about one setting. A list's pairs have no keys; a text may be a list's short form
 * ("a,b", "name=address,name=address"). */
struct setting_pair {
    const char *key, *text;
};
struct setting_input {
    enum setting_id id;
    const char *origin;
    enum { SETTING_SAYS_TEXT, SETTING_SAYS_LIST, SETTING_SAYS_MAP } shape;
    struct setting_pair *pairs;
    size_t count;
};
enum { SETTING_INPUTS_MAX = 4 * SETTING_COUNT, SETTING_PAIRS_MAX = 4096, SETTING_HOST_ADDRESSES_MAX = 16 };
struct setting_inputs {
    struct setting_input items[SETTING_INPUTS_MAX];
    size_t count;
};
MUST_USE bool setting_inputs_add(struct setting_inputs *inputs, const struct setting_input *input);

/* Reads the input into the field; the texts go to the arena. `why` is a whole sentence with the origin in front. */
MUST_USE bool setting_parse(struct arena *arena, const struct setting_input *input, void *out_field,
                            char why[static SETTINGS_WHY_SIZE]);
/* The value as it would stand in a YAML file. */
void setting_format(const struct setting_row *row, const struct settings *settings, struct buf *out);
/* A number of the row's kind as a person writes it: "30s", "64GiB". */
void setting_format_number(enum setting_kind kind, int64_t number, struct buf *out);

/* Adds what a YAML text says; `file` stands in origins and errors. */
MUST_USE bool settings_read_yaml(struct arena *arena, const char *file, struct bytes text,
                                 struct setting_inputs *inputs, char why[static SETTINGS_WHY_SIZE]);
