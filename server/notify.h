/* Telling whoever started us how far we are: systemd's socket (sd_notify(3)) and --ready-fd. */
#pragma once

#include "base/macros.h"

/* Sends "READY=1", "STOPPING=1" to $NOTIFY_SOCKET; does nothing when there is none. */
void notify_service_manager(const char *state);
/* Writes one line to the descriptor and closes it; -1 is none. */
void notify_ready_fd(int fd);
