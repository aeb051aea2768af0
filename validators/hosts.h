/* The dns.hosts map: names that are answered before DNS is asked. Immutable once built, so threads share it. */
#pragma once

#include "validators/address.h"
#include "validators/validators.h"

struct val_hosts;

MUST_USE bool val_hosts_make(const struct validators_host *rows, size_t count, struct val_hosts **out,
                             char why[static VALIDATORS_WHY_SIZE]);
void val_hosts_drop(struct val_hosts *hosts);
DEFINE_DROP(val_hosts, val_hosts_drop)

/* The row for the name itself, else the nearest "*.parent" above it. `name` is lower case. False when there is none. */
MUST_USE bool val_hosts_find(const struct val_hosts *hosts, const char *name, const struct val_address **out_addresses,
                             size_t *out_count);
