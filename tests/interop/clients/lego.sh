#!/bin/bash
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client lego "$(package_version lego)" lego

dns_start
server_start --dns-server "127.0.0.1:$dns_port"
export LEGO_CA_CERTIFICATES=$ca

# lego's exec provider calls: present|cleanup NAME VALUE
cat >hook <<END
#!/bin/sh
case \$1 in present) "$here/txt" set "\$2" "\$3" ;; cleanup) "$here/txt" clear "\$2" ;; esac
END
chmod +x hook

acme()
{
    lego -s "$directory" -a -m admin@example.test --path lego "$@"
}

http_01()
{
    acme --http --http.port ":$http_port" -d http.example.test -d also.example.test run
    check_chain lego/certificates/http.example.test.crt http.example.test also.example.test
}

tls_alpn_01()
{
    acme --tls --tls.port ":$tls_port" -d tls.example.test run
    check_chain lego/certificates/tls.example.test.crt tls.example.test
}

dns_wildcard()
{
    EXEC_PATH=$work/hook EXEC_POLLING_INTERVAL=1 acme --dns exec --dns.disable-cp --dns.resolvers "127.0.0.1:$dns_port" \
        -d '*.wild.example.test' run
    check_chain lego/certificates/_.wild.example.test.crt '*.wild.example.test'
}

renewal()
{
    local before
    before=$(serial_of lego/certificates/http.example.test.crt)
    acme --http --http.port ":$http_port" -d http.example.test -d also.example.test renew --days 100 --no-random-sleep
    check_chain lego/certificates/http.example.test.crt http.example.test also.example.test
    [ "$before" != "$(serial_of lego/certificates/http.example.test.crt)" ]
}

revocation()
{
    acme -d tls.example.test revoke --keep
    revoked lego/certificates/tls.example.test.crt
}

try "http-01, two names" http_01
try "tls-alpn-01" tls_alpn_01
try "dns-01, wildcard" dns_wildcard
try "renewal" renewal
try "revocation" revocation
