/* What http-01 fetches (RFC 8555 §8.3): key authorizations by token. */
#pragma once

#include "test-client/http_server.h"
#include "test-client/text_map.h"

struct http01;

/* `unknown_status` answers every path that is no known challenge. */
MUST_USE struct http01 *http01_create(int unknown_status);
void http01_drop(struct http01 *answers);
DEFINE_DROP(http01, http01_drop)

MUST_USE bool http01_put(struct http01 *answers, const char *token, const char *content);
void http01_remove(struct http01 *answers, const char *token);
void http01_clear(struct http01 *answers);
const struct text_map *http01_contents(const struct http01 *answers); /* token → char * */

/* The http_handler; its owner is the struct http01. */
void http01_answer(void *answers, const struct http_request *request, struct http_response *response);
