#include "test-client/challtestsrv/faults.h"

#include "base/text.h"
#include "test-client/text_map.h"

enum { HOSTS_MAX = 65536 };

struct host_faults {
    struct cts_fault of[CTS_PROTOCOLS];
};

struct cts_faults {
    struct text_map *hosts; /* key → struct host_faults */
};

static const char *const texts[CTS_PROTOCOLS] = {
#define X(name, text) [CTS_PROTOCOL_##name] = text,
    CTS_PROTOCOL_TABLE(X)
#undef X
};

const char *cts_protocol_text(enum cts_protocol protocol)
{
    return texts[protocol];
}

bool cts_protocol_from_text(const char *text, enum cts_protocol *out)
{
    size_t i = text_index(texts, CTS_PROTOCOLS, text);
    TRY(i < CTS_PROTOCOLS);
    *out = (enum cts_protocol)i;
    return true;
}

struct cts_faults *cts_faults_create(void)
{
    AUTO(cts_faults) faults = calloc(1, sizeof *faults);
    if (faults == NULL)
        return NULL;
    faults->hosts = text_map_create(HOSTS_MAX, free);
    return faults->hosts != NULL ? TAKE(faults) : NULL;
}

void cts_faults_drop(struct cts_faults *faults)
{
    if (faults == NULL)
        return;
    text_map_drop(faults->hosts);
    free(faults);
}

void cts_faults_reset(struct cts_faults *faults)
{
    text_map_clear(faults->hosts);
}

struct cts_fault *cts_faults_of(struct cts_faults *faults, const char *host, enum cts_protocol protocol)
{
    struct host_faults *found = text_map_get(faults->hosts, bytes_text(host));
    if (found != NULL)
        return &found->of[protocol];
    found = calloc(1, sizeof *found);
    if (found != NULL && text_map_put(faults->hosts, bytes_text(host), found))
        return &found->of[protocol];
    free(found);
    return NULL;
}

static struct host_faults *nearest(const struct cts_faults *faults, const char *host)
{
    struct host_faults *found = text_map_get(faults->hosts, bytes_text(host));
    for (const char *above = dns_name_parent(host); found == NULL && above != NULL; above = dns_name_parent(above)) {
        AUTO_BUF(wildcard, DNS_NAME_SIZE + 2);
        buf_printf(&wildcard, *above != '\0' ? "*.%s" : "*", above);
        found = text_map_get(faults->hosts, buf_bytes(&wildcard));
    }
    return found;
}

struct cts_fault cts_faults_meet(struct cts_faults *faults, const char *host, enum cts_protocol protocol)
{
    struct host_faults *found = text_map_count(faults->hosts) > 0 ? nearest(faults, host) : NULL;
    if (found == NULL)
        return (struct cts_fault) { 0 };
    struct cts_fault met = found->of[protocol];
    found->of[protocol].failures -= met.failures > 0;
    return met;
}

struct listing {
    cts_faults_visit *visit;
    void *arg;
};

static void visit_host(void *arg, struct bytes key, void *value)
{
    const struct listing *listing = arg;
    const struct host_faults *host = value;
    for (enum cts_protocol protocol = 0; protocol < CTS_PROTOCOLS; protocol++) {
        if (host->of[protocol].delay_ms != 0 || host->of[protocol].failures != 0)
            listing->visit(listing->arg, key, protocol, &host->of[protocol]);
    }
}

bool cts_faults_each(const struct cts_faults *faults, cts_faults_visit *visit, void *arg)
{
    return text_map_each(faults->hosts, visit_host, &(struct listing) { visit, arg });
}
