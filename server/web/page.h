/* Pages for people, with one button each: a refusal names such a page, whose URL is sealed for one account. */
#pragma once

#include "server/web/request.h"

/* base/PURPOSE/TOKEN for the signing account; NULL when memory is out. Good for two weeks and until a restart. */
MUST_USE const char *page_url(struct request *rq, const char *purpose);
/* The account a token in the path was made for; 404 for a token that is spoiled, old or for another purpose. */
MUST_USE bool page_account(struct request *rq, const char *purpose, const char **out_account);

/* The page up to its body's end, title and first words included. Text must be HTML already. */
void page_reply(struct request *rq, const char *title, const char *format, ...) PRINTF_LIKE(3, 4);
