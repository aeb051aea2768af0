#include "server/protocol/certificate.h"

#include "server/caraway.h"
#include "server/protocol/chains.h"

/* RFC 8555 §7.4.2: PEM unless the client asks for the leaf alone, as DER. */
static bool wants_der(const struct request *rq)
{
    return rq->accept != NULL && strstr(rq->accept, "application/pkix-cert") != NULL &&
           strstr(rq->accept, "application/pem-certificate-chain") == NULL;
}

static bool write_chain(struct request *rq, const struct certificate *certificate)
{
    struct buf *body = &rq->reply.body;
    size_t chain;
    TRY(chain_read(rq, rq->params[1], &chain));
    chain_links(rq, arena_printf(rq->arena, "/certificate/%s", certificate->serial), chain);
    rq->reply.status = 200;
    rq->reply.content_type = wants_der(rq) ? "application/pkix-cert" : "application/pem-certificate-chain";
    if (wants_der(rq)) {
        reply_link(rq, "up", request_url(rq, "/issuer/%zu", chain));
        buf_append(body, certificate->der.data, certificate->der.len);
    } else {
        crypto_pem(body, "CERTIFICATE", certificate->der);
        buf_text(body, ca_chain_pem(rq->caraway->ca, chain));
    }
    return !body->failed || problem_internal(&rq->problem, "the certificate %s cannot be written", certificate->serial);
}

bool certificate_get(struct request *rq)
{
    struct certificate certificate;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading a certificate");
    if (!store_get_certificate(txn, rq->arena, rq->params[0], &certificate)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading a certificate");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no certificate %s", rq->params[0]);
    }
    if (strcmp(certificate.account, rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This certificate belongs to another account");
    return write_chain(rq, &certificate);
}

bool issuer_get(struct request *rq)
{
    size_t chain;
    TRY(chain_read(rq, rq->params[0], &chain));
    rq->reply.status = 200;
    rq->reply.content_type = "application/pkix-cert";
    crypto_pem_decode(&rq->reply.body, ca_chain_pem(rq->caraway->ca, chain));
    return true;
}
