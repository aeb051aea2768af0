/* How the descriptors that the system allows are shared out: so many clients, and what validations leave for them and
 * for the rest of the server (the database, the log, DNS). */
#pragma once

#include "server/settings/settings.h"

struct files_share {
    int64_t open_files;   /* that the system allows; 0: not known */
    unsigned connections; /* clients per listener: as web.max-connections wants, or fewer */
    int validation_below; /* the descriptors of validations have lesser numbers; 0: any */
};

/* Has the system allow as many as it will. */
struct files_share files_share_out(const struct settings *settings);
/* The same for a number of descriptors. */
struct files_share files_share_of(int64_t open_files, int64_t wanted_connections);
