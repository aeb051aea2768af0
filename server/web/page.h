/* Pages for people, with one button each: a refusal names such a page, whose URL is sealed for one account. */
#pragma once

#include "server/web/request.h"

/* what a page is for, its path */
#define PAGE_TABLE(X)                                                                                                  \
    X(AGREE, "/agree/")                                                                                                \
    X(UNPAUSE, "/unpause/")

enum page {
#define X(name, path) PAGE_##name,
    PAGE_TABLE(X)
#undef X
};

/* The page's URL, which ends in a token, for the signing account; NULL when memory is out. Good for two weeks, or
 * until the server has another TLS key. */
MUST_USE const char *page_url(struct request *rq, enum page page);
/* The account a token in the path was made for; 404 for a token that is spoiled, old or for another page. */
MUST_USE bool page_account(struct request *rq, enum page page, const char **out_account);
/* The text for the log, where "{}" stands for a token: whoever has one can press the button. NULL for NULL and when
 * memory is out. */
const char *page_hide_tokens(struct arena *arena, const char *text);

/* The page up to its body's end, title and first words included. Text must be HTML already. */
void page_reply(struct request *rq, const char *title, const char *format, ...) PRINTF_LIKE(3, 4);
