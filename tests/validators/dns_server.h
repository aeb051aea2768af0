/* A DNS server on loopback that answers from rows over UDP and TCP, on its own thread. */
#pragma once

#include "tests/validators/support.h"

enum dns_action {
    DNS_ANSWER,
    DNS_SILENCE,
    DNS_TRUNCATE,     /* UDP says that it is too long, TCP has the answer */
    DNS_TRUNCATE_ALL, /* and over TCP the connection ends at once */
    DNS_GARBAGE,      /* bytes that are no message */
    DNS_WRONG_ID,
    DNS_WRONG_QUESTION,
    DNS_CUT,     /* the message ends before its last byte */
    DNS_LOOP,    /* a name that points to itself */
    DNS_TWICE,   /* the answer comes two times */
    DNS_EXTENDED /* no records, but an extended error of code 7 (RFC 8914) with the text */
};
struct dns_row {
    const char *name; /* lower case, no trailing dot; "" fits every name */
    int type;         /* 0 fits every type */
    enum dns_action action;
    int rcode;
    const char *cname;        /* an alias in front of the records, which then belong to it */
    const char *const *texts; /* TXT: "|" divides the strings of one record; A, AAAA: addresses;
                                 CAA: "0 issue ca.test"; NS: a name */
    size_t count;
};

struct dns_server;
/* Names without a row do not exist. */
struct dns_server *dns_server_start(const struct dns_row *rows, size_t count);
/* At an address and port of its own */
struct dns_server *dns_server_start_at(const char *address, uint16_t port, const struct dns_row *rows, size_t count);
/* TCP speaks TLS, with a certificate for dns.test that nobody vouches for. */
struct dns_server *dns_server_start_tls(const struct dns_row *rows, size_t count);
void dns_server_write_certificate(const struct dns_server *server, const char *file);
uint16_t dns_server_port(const struct dns_server *server);
unsigned dns_server_questions(struct dns_server *server);
void dns_server_wait(struct dns_server *server, unsigned questions); /* until so many have come */
void dns_server_stop(struct dns_server *server);
