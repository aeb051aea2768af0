/* A settings file: read, then every value put to the settings' types. */
#include "server/settings/settings_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct setting_inputs inputs;
    inputs.count = 0;
    AUTO(arena) arena = arena_create(4 << 20);
    char why[SETTINGS_WHY_SIZE];
    if (arena == NULL || size > 65536 || !settings_read_yaml(arena, "fuzz.yaml", bytes_of(data, size), &inputs, why))
        return 0;
    for (size_t i = 0; i < inputs.count; i++) {
        struct settings settings;
        if (!setting_parse(arena, &inputs.items[i], (char *)&settings + setting_rows[inputs.items[i].id].offset, why))
            continue;
        AUTO_BUF(text, 1 << 20);
        setting_format(&setting_rows[inputs.items[i].id], &settings, &text);
    }
    return 0;
}
