/* The daemon's settings: one typed struct, put together from the preset, a YAML file, the environment and the command
 * line, each stronger than the one before. Unknown names and bad values are refused with where they stand and what was
 * probably meant. Immutable once read. */
#pragma once

#include "base/buf.h"
#include "server/settings/settings_table.h"
#include "validators/validators.h"

struct setting_texts {
    const char **items;
    size_t count;
};
struct setting_hosts {
    struct validators_host *items;
    size_t count;
};

/* C types of the kinds, for the struct below */
#define SETTING_FIELD_TEXT      const char *
#define SETTING_FIELD_URL       const char *
#define SETTING_FIELD_BOOL      bool
#define SETTING_FIELD_INTEGER   int64_t
#define SETTING_FIELD_DURATION  int64_t
#define SETTING_FIELD_RATE      const char *
#define SETTING_FIELD_SIZE      int64_t
#define SETTING_FIELD_CHOICE    const char *
#define SETTING_FIELD_CHOICES   struct setting_texts
#define SETTING_FIELD_PATTERNS  struct setting_texts
#define SETTING_FIELD_NETWORKS  struct setting_texts
#define SETTING_FIELD_ENDPOINT  const char *
#define SETTING_FIELD_ENDPOINTS struct setting_texts
#define SETTING_FIELD_RESOLVER  const char *
#define SETTING_FIELD_NAMES     struct setting_texts
#define SETTING_FIELD_HOSTS     struct setting_hosts

enum setting_id {
#define X(field, ...) SETTING_##field,
    SETTING_TABLE(X)
#undef X
        SETTING_COUNT
};

struct settings {
    struct arena *memory;                               /* owns every text below */
    const char *origin[SETTING_COUNT];                  /* "default", "caraway.yaml:3", "CARAWAY_LISTEN", "--listen" */
#define X(field, kind, ...) SETTING_FIELD_##kind field; /* texts are never NULL: "" when not set */
    SETTING_TABLE(X)
#undef X
};

/* One `--set name=value`, or a flag that is short for it. */
struct setting_flag {
    const char *shown; /* "--set" or "--listen" */
    const char *name;
    const char *value;
};

struct settings_sources {
    const char *file;               /* path of the YAML file, or NULL */
    const char *const *environment; /* NULL-terminated "NAME=value", or NULL */
    const struct setting_flag *flags;
    size_t flag_count;
};

/* NULL on failure; then `why` is a sentence that says where and what. */
enum { SETTINGS_WHY_SIZE = 512 };
MUST_USE struct settings *settings_read(const struct settings_sources *sources, char why[static SETTINGS_WHY_SIZE]);
void settings_drop(struct settings *settings);
DEFINE_DROP(settings, settings_drop)
