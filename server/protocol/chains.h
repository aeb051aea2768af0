/* The chains of the authority, numbered from 0, the default one. */
#pragma once

#include "server/web/request.h"

/* Reads a number from the path (NULL: 0). 404 when there is no such chain. */
MUST_USE bool chain_read(struct request *rq, const char *text, size_t *out);
/* Link: rel="alternate" to every chain but this one; the default one is at `path`, the others at `path`/N. */
void chain_links(struct request *rq, const char *path, size_t chain);
