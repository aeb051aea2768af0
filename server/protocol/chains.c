#include "server/protocol/chains.h"

#include "server/caraway.h"

bool chain_read(struct request *rq, const char *text, size_t *out)
{
    size_t count = ca_chain_count(rq->caraway->ca);
    size_t number = 0;
    for (const char *c = text != NULL ? text : "0"; *c != '\0' && number <= count; c++)
        number = *c >= '0' && *c <= '9' ? number * 10 + (size_t)(*c - '0') : count + 1;
    if (number >= count)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no chain %.20s; the last is %zu",
                                   text, count - 1);
    *out = number;
    return true;
}

void chain_links(struct request *rq, const char *path, size_t chain)
{
    for (size_t i = 0; i < ca_chain_count(rq->caraway->ca); i++) {
        if (i != chain)
            reply_link(rq, "alternate", request_url(rq, i == 0 ? "%s" : "%s/%zu", path, i));
    }
}
