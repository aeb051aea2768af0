#!/bin/bash
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client certbot "$(certbot --version 2>&1 | awk '{ print $2 }')" certbot nginx

dns_start
server_start --dns-server "127.0.0.1:$dns_port"
export REQUESTS_CA_BUNDLE=$ca

acme()
{
    certbot "$@" -n --agree-tos -m admin@example.test --server "$directory" --http-01-port "$http_port" \
        --config-dir conf --work-dir w --logs-dir logs
}

standalone()
{
    acme certonly --standalone -d standalone.example.test
    check_chain conf/live/standalone.example.test/fullchain.pem standalone.example.test
}

two_names()
{
    acme certonly --standalone -d one.example.test -d two.example.test
    check_chain conf/live/one.example.test/fullchain.pem one.example.test two.example.test
}

webroot()
{
    nginx_start
    acme certonly --webroot -w www -d webroot.example.test
    check_chain conf/live/webroot.example.test/fullchain.pem webroot.example.test
    nginx_control -s quit
}

dns_01()
{
    acme certonly --manual --preferred-challenges dns \
        --manual-auth-hook "$here/txt set _acme-challenge.\$CERTBOT_DOMAIN \$CERTBOT_VALIDATION" \
        --manual-cleanup-hook "$here/txt clear _acme-challenge.\$CERTBOT_DOMAIN" "$@"
}

dns_one()
{
    dns_01 -d dns.example.test
    check_chain conf/live/dns.example.test/fullchain.pem dns.example.test
}

dns_wildcard()
{
    dns_01 -d '*.wild.example.test' -d wild.example.test
    check_chain conf/live/wild.example.test/fullchain.pem '*.wild.example.test' wild.example.test
}

renewal()
{
    local before
    before=$(serial_of conf/live/standalone.example.test/cert.pem)
    acme renew --force-renewal --no-random-sleep-on-renew --cert-name standalone.example.test
    check_chain conf/live/standalone.example.test/fullchain.pem standalone.example.test
    [ "$before" != "$(serial_of conf/live/standalone.example.test/cert.pem)" ]
}

rsa_key()
{
    acme certonly --standalone --key-type rsa --rsa-key-size 2048 -d rsa.example.test
    check_chain conf/live/rsa.example.test/fullchain.pem rsa.example.test
}

revocation()
{
    cp conf/live/one.example.test/cert.pem by-account.pem
    acme revoke --cert-name one.example.test --reason superseded --delete-after-revoke
    revoked by-account.pem
    cp conf/live/dns.example.test/cert.pem by-key.pem
    acme revoke --cert-path conf/live/dns.example.test/cert.pem --key-path conf/live/dns.example.test/privkey.pem \
        --no-delete-after-revoke
    revoked by-key.pem
}

try "http-01, standalone" standalone
try "http-01, two names" two_names
try "http-01, RSA key" rsa_key
try "http-01, webroot under nginx" webroot
try "dns-01, hook" dns_one
try "dns-01, wildcard and its parent" dns_wildcard
try "renewal" renewal
try "revocation by account and by key" revocation
