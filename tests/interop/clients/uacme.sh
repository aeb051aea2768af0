#!/bin/bash
# uacme reads the system's certificate store and no other. So that nothing is added to that, it runs in a mount namespace
# where the store is our server's authority.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client uacme "$(uacme -V 2>&1 | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -n 1)" uacme nginx

apart=(unshare --mount)
[ "$(id -u)" -eq 0 ] || apart=(unshare --map-root-user --mount)
"${apart[@]}" true 2>/dev/null || { record "this machine gives no mount namespace" skip -; exit 0; }

server_start
nginx_start
export UACME_CHALLENGE_PATH=$work/www/.well-known/acme-challenge

acme()
{
    # shellcheck disable=SC2016 # the inner shell expands them
    "${apart[@]}" sh -c 'mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"' - "$ca" \
        uacme -v -a "$directory" -c conf "$@"
}

http_01()
{
    acme -y new admin@example.test
    acme -h /usr/share/uacme/uacme.sh issue http.example.test also.example.test
    check_chain conf/http.example.test/cert.pem http.example.test also.example.test
}

renewal()
{
    local before
    before=$(serial_of conf/http.example.test/cert.pem)
    acme -f -h /usr/share/uacme/uacme.sh issue http.example.test also.example.test
    check_chain conf/http.example.test/cert.pem http.example.test also.example.test
    [ "$before" != "$(serial_of conf/http.example.test/cert.pem)" ]
}

rollover()
{
    local before
    before=$(openssl pkey -in conf/private/key.pem -pubout)
    acme newkey
    [ "$before" != "$(openssl pkey -in conf/private/key.pem -pubout)" ]
    acme -f -h /usr/share/uacme/uacme.sh issue rolled.example.test
    check_chain conf/rolled.example.test/cert.pem rolled.example.test
}

revocation()
{
    cp conf/http.example.test/cert.pem revoked.pem
    acme revoke conf/http.example.test/cert.pem
    revoked revoked.pem
}

try "http-01, two names" http_01
try "renewal" renewal
try "key rollover, then a certificate" rollover
try "revocation" revocation
