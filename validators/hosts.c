#include "validators/hosts.h"

#include <stdio.h>

struct host {
    char *name;
    struct val_address *addresses;
    size_t count;
};

struct val_hosts {
    size_t count;
    struct host rows[]; /* sorted by name */
};

void val_hosts_drop(struct val_hosts *hosts)
{
    if (hosts == NULL)
        return;
    for (size_t i = 0; i < hosts->count; i++) {
        free(hosts->rows[i].name);
        free(hosts->rows[i].addresses);
    }
    free(hosts);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

static bool fail(char why[static VALIDATORS_WHY_SIZE], const char *name, const char *what)
{
    snprintf(why, VALIDATORS_WHY_SIZE, "dns.hosts: %.80s: %.100s", name, what);
    return false;
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text += 'a' - 'A';
}

static bool fill(struct host *host, const struct validators_host *row, char why[static VALIDATORS_WHY_SIZE])
{
    host->name = strdup(row->name);
    host->addresses = calloc(row->address_count + 1, sizeof *host->addresses);
    if (host->name == NULL || host->addresses == NULL)
        return fail(why, row->name, "out of memory");
    lower(host->name);
    for (; host->count < row->address_count; host->count++)
        if (!val_address_parse(row->addresses[host->count], &host->addresses[host->count]))
            return fail(why, row->name, "an IP address is expected");
    return true;
}

bool val_hosts_make(const struct validators_host *rows, size_t count, struct val_hosts **out,
                    char why[static VALIDATORS_WHY_SIZE])
{
    AUTO(val_hosts) hosts = calloc(1, sizeof *hosts + count * sizeof hosts->rows[0]);
    if (hosts == NULL)
        return fail(why, "the map", "out of memory");
    hosts->count = count;
    for (size_t i = 0; i < count; i++)
        TRY(fill(&hosts->rows[i], &rows[i], why));
    qsort(hosts->rows, count, sizeof hosts->rows[0], compare);
    *out = TAKE(hosts);
    return true;
}

static const struct host *find(const struct val_hosts *hosts, const char *name)
{
    struct host key = { .name = (char *)name };
    return bsearch(&key, hosts->rows, hosts->count, sizeof key, compare);
}

static const struct host *find_above(const struct val_hosts *hosts, const char *name)
{
    char wildcard[IDENTIFIER_MAX_BYTES + 3];
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        snprintf(wildcard, sizeof wildcard, "*%s", dot);
        const struct host *host = find(hosts, wildcard);
        if (host != NULL)
            return host;
    }
    return NULL;
}

bool val_hosts_find(const struct val_hosts *hosts, const char *name, const struct val_address **out_addresses,
                    size_t *out_count)
{
    const struct host *host = find(hosts, name);
    if (host == NULL)
        host = find_above(hosts, name);
    TRY(host != NULL);
    *out_addresses = host->addresses;
    *out_count = host->count;
    return true;
}
