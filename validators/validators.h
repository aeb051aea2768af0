/* Proof of control over names: worker threads with one event loop each (libuv over curl multi, libunbound, OpenSSL).
 * A validation is asked for with values and answered with values; it never blocks the asker. */
#pragma once

#include "acme/challenge.h"
#include "acme/problem.h"

struct validators;

/* One row of dns.hosts: a name, or "*.name" for everything below it, and the addresses it stands for. */
struct validators_host {
    const char *name;
    const char *const *addresses;
    size_t address_count;
};

/* What becomes of CAA records: they are not asked for, a refusal only warns, it counts. */
#define CAA_MODE_TABLE(X)                                                                                              \
    X(OFF, "off")                                                                                                      \
    X(WARN, "warn")                                                                                                    \
    X(ENFORCE, "enforce")
enum caa_mode {
#define X(name, text) CAA_##name,
    CAA_MODE_TABLE(X)
#undef X
};
MUST_USE bool caa_mode_from_text(const char *text, enum caa_mode *out);

struct validators_options {
    unsigned threads;
    uint16_t http_port, tls_port; /* 80 and 443 in earnest, 5002 and 5001 in test presets */
    /* Whom DNS asks: "ADDR:PORT" or "[V6]:PORT", over TLS "tls://ADDR:PORT" and with "#NAME" behind only where the
     * certificate has that name; NULL: what /etc/resolv.conf says, or with dns_recursive the authoritative servers. */
    const char *dns_server;
    bool dns_recursive;
    const char *dns_trust_anchor;        /* a file for DNSSEC; NULL: with dns_recursive the distribution's, else none */
    const struct validators_host *hosts; /* consulted before DNS; copied */
    size_t host_count;
    const char *const *allow_addresses; /* reserved addresses that may be connected to: see reserved.h; copied */
    size_t allow_address_count;
    enum caa_mode caa_mode;
    int64_t dns_timeout_ms, connect_timeout_ms, total_timeout_ms;
    const char *user_agent;
    /* Validations at once: in all, for one account and for one name; 0: no limit. The rest wait in fair turns. */
    unsigned max_in_flight, max_per_account, max_per_name;
    int files_below; /* sockets get descriptors below this number; 0: any */
};
enum { VALIDATORS_WHY_SIZE = 256 };
MUST_USE bool validators_open(const struct validators_options *options, struct validators **out,
                              char why[static VALIDATORS_WHY_SIZE]);
/* Ends what is under way without calling done for it, then joins the threads. */
void validators_drop(struct validators *validators);
DEFINE_DROP(validators, validators_drop)

struct validation {
    /* asked; the texts live until done */
    enum acme_challenge_type type;
    struct acme_identifier identifier; /* without "*." */
    const char *token;                 /* NULL for a type without one */
    const char *key_authorization;     /* NULL likewise */
    const char *account_url;           /* as the client was told it; NULL fits no CAA record with an accounturi */
    bool wildcard;                     /* "*." stood in front: for CAA, and dns-persist-01 then wants policy=wildcard */
    bool subdomains;                   /* it is to cover the names below: dns-persist-01 wants the same, CAA does not */
    const char *const *issuers;        /* the names this authority goes by; without one dns-persist-01 fails */
    size_t issuer_count;
    /* for dns-persist-01: what the record may call the account, any of them, the likeliest first, at least one; what
     * they all begin with when they are hashes, else NULL; and what persistUntil is held against */
    const char *const *accounts;
    size_t account_count;
    const char *hash_prefix;
    int64_t now_ms;
    /* answered */
    bool ok;
    int64_t valid_until_ms;      /* ok, but no longer than this; 0: as long as the asker likes */
    bool warned;                 /* ok, but the problem says why caa.mode enforce would have refused */
    struct acme_problem problem; /* when not ok: detail says what was asked of whom and what came back */
    const char
        *trace; /* JSON array of steps: DNS questions, HTTP hops, TLS peers, CAA, with times; lives in done only */
    /* on a validator thread; must not block; the validation may be freed inside */
    void (*done)(struct validation *validation, void *arg);
    void *arg;
    /* of the validators, from start to done */
    struct validation *queued_next;
    bool caa_alone;
    unsigned gate_line, gate_name;
    int64_t asked_ms;
};
void validators_start(struct validators *validators, struct validation *validation);
/* The same for CAA alone, with the type of the challenge that was met before: for certificates that are issued long
 * after (RFC 8659 §3 and the CA's own rules). Needs no token or key authorization. */
void validators_check_caa(struct validators *validators, struct validation *validation);
/* False while descriptors have run out: a validation that began now would fail for that alone. */
bool validators_have_room(const struct validators *validators);
