/* A server that plays a script: each request must be for the path of the next row, and gets what that row says. It runs
 * on the loop of the client under test. */
#pragma once

#include "test-client/tcp_server.h"

struct script_row {
    const char *request; /* "POST /order" */
    int status;          /* 0: hang up instead */
    const char *headers; /* each with its CRLF; a '@' stands for the server's URL, here and in the body; NULL: none */
    const char *body;    /* NULL: empty */
};

struct scripted_server {
    struct tcp_server *tcp;
    char url[40];
    const struct script_row *next; /* ends with a row without request, at which the last row before is played again */
    unsigned played;
    unsigned nonces;     /* how many were given out; each is "n" and seven digits */
    bool keeps_nonces;   /* gives them only to HEAD */
    char last_nonce[32]; /* "" when it has been used */
    char mistake[300];   /* what the client did against the script; "" while it keeps to it */
};

void scripted_server_start(struct scripted_server *server, uv_loop_t *loop);
void scripted_server_drop(struct scripted_server *server);
void scripted_server_play(struct scripted_server *server, const struct script_row *rows);
