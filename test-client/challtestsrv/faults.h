/* What goes wrong with a host on purpose: answers that come late, and first attempts that fail. "*.NAME" stands for the
 * hosts below NAME that nothing was said about, "*" for all. */
#pragma once

#include "test-client/challtestsrv/host.h"

/* name, text */
#define CTS_PROTOCOL_TABLE(X)                                                                                          \
    X(DNS, "dns")                                                                                                      \
    X(HTTP, "http")                                                                                                    \
    X(HTTPS, "https")                                                                                                  \
    X(TLSALPN, "tlsalpn")

enum cts_protocol {
#define X(name, text) CTS_PROTOCOL_##name,
    CTS_PROTOCOL_TABLE(X)
#undef X
        CTS_PROTOCOLS
};

const char *cts_protocol_text(enum cts_protocol protocol);
MUST_USE bool cts_protocol_from_text(const char *text, enum cts_protocol *out);

enum { CTS_DELAY_MAX_MS = 600000, CTS_FAILURES_MAX = 1000000 };

struct cts_fault {
    unsigned delay_ms;
    unsigned failures; /* that are still to come */
};

struct cts_faults;

MUST_USE struct cts_faults *cts_faults_create(void);
void cts_faults_drop(struct cts_faults *faults);
DEFINE_DROP(cts_faults, cts_faults_drop)
void cts_faults_reset(struct cts_faults *faults);

/* The place to change; NULL when there is no room. `host` is a key as cts_host_key makes it. */
MUST_USE struct cts_fault *cts_faults_of(struct cts_faults *faults, const char *host, enum cts_protocol protocol);
/* What meets one attempt, which is counted: failures of 0 let it pass. */
struct cts_fault cts_faults_meet(struct cts_faults *faults, const char *host, enum cts_protocol protocol);

/* All that is not nothing, sorted by host. False when memory is out. */
typedef void cts_faults_visit(void *arg, struct bytes host, enum cts_protocol protocol, const struct cts_fault *fault);
MUST_USE bool cts_faults_each(const struct cts_faults *faults, cts_faults_visit *visit, void *arg);
