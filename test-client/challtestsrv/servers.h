/* The servers of caraway-challtestsrv: each flag with addresses starts one for each of them, all on one loop. */
#pragma once

#include "test-client/challtestsrv/flags.h"

#include <uv.h>

struct cts_servers;

/* Takes one line for the log. */
typedef void cts_say(const char *line);

/* Starts all that the flags ask for, says where each listens and then that all is ready. A default address that cannot
 * be had is said and left out; one that was asked for makes the start fail. */
MUST_USE bool cts_servers_start(uv_loop_t *loop, const struct cts_flags *flags, cts_say *say, struct cts_servers **out,
                                char why[static CTS_WHY_SIZE]);
/* Closes the handles; the loop must then run until it is empty. */
void cts_servers_drop(struct cts_servers *servers);
DEFINE_DROP(cts_servers, cts_servers_drop)
