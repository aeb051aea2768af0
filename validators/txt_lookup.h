/* What the challenge types in DNS share: one TXT question at a name of theirs, and what is said when no records come.
 */
#pragma once

#include "validators/locate.h"

enum { VAL_TXT_WANTED_SIZE = 512 };
struct val_txt_lookup {
    struct val_attempt attempt; /* first: this is the whole state of these methods */
    struct val_question question;
    char name[CHALLENGE_TXT_NAME_MAX + 1];
    char wanted[VAL_TXT_WANTED_SIZE]; /* a record that would do, for details; what does not fit is cut */
    val_step *judge;                  /* runs when there are records */
};

struct val_txt_lookup *val_txt_of(struct val_attempt *attempt);
/* Asks; `judge` runs when records have come. `wanted` is filled in before. */
enum val_turn val_txt_ask(struct val_txt_lookup *lookup, val_step *judge);
const char *val_txt_server(const struct val_txt_lookup *lookup); /* whom it asks */
void val_txt_drop(struct val_attempt *attempt);                  /* `drop` of these methods */
