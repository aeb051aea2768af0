/* tls-alpn-01 (RFC 8737, RFC 8738 §6): a TLS server that agrees on ALPN "acme-tls/1" shows a certificate with the
 * digest of the key authorization. */
#include "validators/alpn_certificate.h"
#include "validators/locate.h"
#include "validators/printable.h"
#include "validators/worker.h"

#include <stdio.h>

struct tlsalpn01 {
    struct val_attempt attempt;
    struct val_location location;
    struct val_peer peer;
    uint64_t began_ms;
    char endpoint[VAL_ENDPOINT_SIZE];
    char sni[VAL_ARPA_SIZE]; /* of an IP address */
};

static val_step judge;

static struct tlsalpn01 *of(struct val_attempt *attempt)
{
    CHECK(attempt->method == &val_tlsalpn01);
    return (struct tlsalpn01 *)attempt;
}

static void on_met(struct val_peer *peer)
{
    val_attempt_run(peer->arg);
}

static enum val_turn meet(struct tlsalpn01 *alpn, const struct val_address *address)
{
    const struct acme_identifier *identifier = &alpn->attempt.validation->identifier;
    uint16_t port = alpn->attempt.worker->shared->options.tls_port;
    bool ip = identifier->type == IDENTIFIER_IP;
    val_peer_clear(&alpn->peer);
    val_endpoint_text(address, port, alpn->endpoint);
    alpn->began_ms = val_attempt_now(&alpn->attempt);
    alpn->peer.address = *address;
    alpn->peer.port = port;
    alpn->peer.sni = ip ? val_address_arpa(address, alpn->sni) : identifier->value;
    alpn->peer.done = on_met;
    alpn->peer.arg = &alpn->attempt;
    val_peer_meet(&alpn->attempt.worker->prober, &alpn->peer);
    return val_attempt_then(&alpn->attempt, judge, VAL_WAIT);
}

static enum val_turn connect_first(struct val_attempt *attempt)
{
    struct tlsalpn01 *alpn = of(attempt);
    struct val_address address;
    if (!val_located(attempt, &alpn->location))
        return VAL_DONE;
    CHECK(val_location_take(&alpn->location, &address));
    return meet(alpn, &address);
}

static enum val_turn first(struct val_attempt *attempt)
{
    return val_locate(attempt, &of(attempt)->location, attempt->validation->identifier.value, connect_first);
}

static void trace_peer(struct tlsalpn01 *alpn)
{
    char names[VAL_CERTIFICATE_WHY_SIZE], text[VAL_SHOWN_SIZE];
    const struct val_peer *peer = &alpn->peer;
    struct json_out *out = val_trace_step(&alpn->attempt.trace, "tls", alpn->began_ms, val_attempt_now(&alpn->attempt));
    json_out_text(out, "address", alpn->endpoint);
    json_out_text(out, "sni", peer->sni);
    if (peer->outcome != VAL_PEER_MET) {
        json_out_text(out, "error", val_printable(bytes_text(peer->why), text));
    } else {
        json_out_text(out, "alpn", val_printable(bytes_text(peer->alpn), text));
        if (peer->certificate != NULL) {
            val_certificate_names(peer->certificate, names);
            json_out_text(out, "names", names);
        }
    }
    val_trace_end(&alpn->attempt.trace);
}

static enum val_turn unmet(struct tlsalpn01 *alpn)
{
    struct val_address other;
    const struct val_peer *peer = &alpn->peer;
    if (peer->outcome == VAL_PEER_INTERNAL)
        return val_attempt_internal(&alpn->attempt, peer->why);
    if (!alpn->attempt.timed_out && val_location_take(&alpn->location, &other))
        return meet(alpn, &other);
    if (peer->outcome == VAL_PEER_UNCONNECTED)
        return val_attempt_fail(&alpn->attempt, PROBLEM_CONNECTION,
                                "%s: %s while connecting for tls-alpn-01 of %s: is something listening on that port?",
                                alpn->endpoint, peer->why, peer->sni);
    return val_attempt_fail(&alpn->attempt, PROBLEM_TLS,
                            "%s: the TLS handshake with SNI %s and ALPN " VAL_ALPN_PROTOCOL " failed: %s",
                            alpn->endpoint, peer->sni, peer->why);
}

static enum val_turn compare(struct tlsalpn01 *alpn)
{
    char why[VAL_CERTIFICATE_WHY_SIZE], shown[VAL_SHOWN_SIZE];
    const struct val_peer *peer = &alpn->peer;
    const struct validation *validation = alpn->attempt.validation;
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(bytes_text(validation->key_authorization), digest);
    if (strcmp(peer->alpn, VAL_ALPN_PROTOCOL) != 0)
        return val_attempt_fail(&alpn->attempt, PROBLEM_UNAUTHORIZED,
                                "%s: the server for SNI %s chose ALPN \"%s\"; it should choose " VAL_ALPN_PROTOCOL,
                                alpn->endpoint, peer->sni, val_printable(bytes_text(peer->alpn), shown));
    if (peer->certificate == NULL)
        return val_attempt_fail(&alpn->attempt, PROBLEM_UNAUTHORIZED, "%s: the server for SNI %s shows no certificate",
                                alpn->endpoint, peer->sni);
    if (!val_certificate_proves(peer->certificate, &validation->identifier, digest, why))
        return val_attempt_fail(&alpn->attempt, PROBLEM_UNAUTHORIZED, "%s: the certificate for SNI %.60s: %s",
                                alpn->endpoint, peer->sni, why);
    return val_attempt_ok(&alpn->attempt);
}

static enum val_turn judge(struct val_attempt *attempt)
{
    struct tlsalpn01 *alpn = of(attempt);
    struct val_peer *peer = &alpn->peer;
    if (attempt->timed_out) {
        peer->outcome = peer->connected ? VAL_PEER_NO_HANDSHAKE : VAL_PEER_UNCONNECTED;
        snprintf(peer->why, sizeof peer->why, "no answer in the time for the whole validation");
    }
    trace_peer(alpn);
    return peer->outcome == VAL_PEER_MET ? compare(alpn) : unmet(alpn);
}

static void drop(struct val_attempt *attempt)
{
    struct tlsalpn01 *alpn = of(attempt);
    val_location_clear(&alpn->location);
    val_peer_clear(&alpn->peer);
}

const struct val_method val_tlsalpn01 = { sizeof(struct tlsalpn01), first, drop };
