#!/bin/bash
# certbot's newest release, from PyPI: renewal by ARI, IP addresses, profiles.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v python3 >/dev/null && python3 -m venv venv && venv/bin/pip -q install certbot >pip.log 2>&1 ||
    { client certbot-newest - python3; record "it cannot be installed here" skip -; exit 0; }
client certbot-newest "$(venv/bin/certbot --version 2>&1 | awk '{ print $2 }')" python3

server_start
export REQUESTS_CA_BUNDLE=$ca

acme()
{
    venv/bin/certbot "$@" -n --agree-tos -m admin@example.test --server "$directory" --http-01-port "$http_port" \
        --config-dir conf --work-dir w --logs-dir logs
}

http_01()
{
    acme certonly --standalone -d new.example.test -d www.new.example.test
    check_chain conf/live/new.example.test/fullchain.pem new.example.test www.new.example.test
}

# By its own rule nothing is due for two months; the revoked certificate's window lies in the past, and so it is.
ari()
{
    local before
    before=$(serial_of conf/live/new.example.test/cert.pem)
    acme revoke --cert-path conf/live/new.example.test/cert.pem --no-delete-after-revoke
    acme renew --no-random-sleep-on-renew
    check_chain conf/live/new.example.test/fullchain.pem new.example.test www.new.example.test
    [ "$before" != "$(serial_of conf/live/new.example.test/cert.pem)" ]
}

profile()
{
    acme certonly --standalone -d short.example.test --required-profile shortlived
    ! openssl x509 -in conf/live/short.example.test/cert.pem -noout -checkend $((161 * 3600))
}

address()
{
    acme certonly --standalone --ip-address 127.0.0.1
    openssl x509 -in conf/live/127.0.0.1/cert.pem -noout -ext subjectAltName | grep 'IP Address:127.0.0.1'
}

try "http-01, two names" http_01
try "renewal by ARI after a revocation" ari
try "the profile shortlived" profile
try "a certificate for an IP address" address
