/* The texts of `caraway config`, made from the table of settings. */
#pragma once

#include "server/settings/settings.h"

/* Every setting with its value and where that came from, as a YAML file that --config reads back. */
void config_show(const struct settings *settings, struct buf *out);
/* docs/settings.md */
void config_reference(struct buf *out);
