/* From an order whose CSR is checked to a stored certificate: signed by the CA's threads, stored with the order in one
 * job. An issuance outlives the request that asked for it; a restart resumes what an order in processing waits for. */
#pragma once

#include "server/caraway.h"
#include "server/web/request.h"

struct issuances;
struct issuance;

MUST_USE struct issuances *issuances_create(void);
/* After the CA and the store: frees what never came back. */
void issuances_drop(struct issuances *issuances);
DEFINE_DROP(issuances, issuances_drop)

/* Takes the CSR, copies the order's texts. NULL when memory is out; then the CSR is dropped. */
MUST_USE struct issuance *issuance_create(struct caraway *caraway, const struct order *order, struct csr *csr);
void issuance_drop(struct issuance *issuance);
DEFINE_DROP(issuance, issuance_drop)

/* The request waits (request_wait was called): it is resumed with rq->state = the issuance, which it then owns, and
 * refused with a problem when there is no certificate. */
void issuance_start(struct issuance *issuance, struct request *waiter);
/* No one waits; the order is stored as processing, and becomes valid, or invalid with an error, as soon as the store
 * takes it. It lives as long as the account's rules allowed when the order was stored. */
void issuance_start_detached(struct issuance *issuance, const struct order *stored);

/* The order as it was stored with its certificate. */
const struct order *issuance_order(const struct issuance *issuance);

/* Starts again what was under way when the server ended. */
MUST_USE bool issuances_resume(struct caraway *caraway);
