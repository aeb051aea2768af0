/* What the challenge servers say: the answers that orders change, with faults and histories in front of them. */
#pragma once

#include "test-client/challtestsrv/faults.h"
#include "test-client/challtestsrv/flags.h"
#include "test-client/challtestsrv/history.h"
#include "test-client/dns_server.h"
#include "test-client/http01.h"
#include "test-client/tls_alpn01.h"

/* NULL where no such server is on. */
struct cts_answers {
    const struct cts_flags *flags;
    struct mock_zone *zone;
    struct http01 *http;
    struct text_map *redirects; /* path → char *, where to; on with http */
    struct tls_alpn01 *tls;
    struct cts_history *history;
    struct cts_faults *faults;
};

/* In place, as the flags say, which are a loan. False when memory is out or a flag's value is none; `why` says so. */
MUST_USE bool cts_answers_init(struct cts_answers *answers, const struct cts_flags *flags,
                               char why[static CTS_WHY_SIZE]);
void cts_answers_clear(struct cts_answers *answers);
/* Back to what the flags say. False when memory is out. */
MUST_USE bool cts_answers_reset(struct cts_answers *answers);

/* The handlers; their owner is a struct cts_answers. */
void cts_answer_http(void *answers, const struct http_request *request, struct http_response *response);
void cts_answer_doh(void *answers, const struct http_request *request, struct http_response *response);
unsigned cts_answer_dns(void *answers, struct bytes query, enum dns_transport transport, struct buf *out);
