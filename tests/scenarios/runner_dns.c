/* dns NAME caa [TAG VALUE]…: the CAA records of a name from now on, none without more words. dns NAME servfail, dns
 * NAME fine: what becomes of questions for it. */
#include "tests/scenarios/runner.h"

#include "test-client/dns_rdata.h"
#include "test-client/mock_zone.h"

enum { RDATA_MAX = 1024 };

static bool set_caa(struct scenario *s, struct mock_zone *zone, const char *name, words w)
{
    mock_zone_clear(zone, name, DNS_CAA);
    for (; w[0] != NULL && w[1] != NULL; w += 2) {
        AUTO_BUF(rdata, RDATA_MAX);
        if (!dns_rdata_caa(w[0], w[1], &rdata) || !mock_zone_add(zone, name, DNS_CAA, buf_bytes(&rdata)))
            return fail(s, "\"%s\" \"%s\" is no CAA record", w[0], w[1]);
    }
    return w[0] == NULL || fail(s, "the tag \"%s\" has no value", w[0]);
}

bool play_dns(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct mock_zone *zone = tc_responder_zone(s->responder);
    bool servfail = strcmp(w[1], "servfail") == 0;
    if (strcmp(w[1], "caa") == 0)
        return set_caa(s, zone, w[0], w + 2);
    if (!servfail && strcmp(w[1], "fine") != 0)
        return fail(s, "dns NAME caa, servfail or fine");
    return mock_zone_set_trouble(zone, w[0], MOCK_SERVFAIL, servfail) || fail(s, "no such name, or memory is out");
}
