#!/bin/bash
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client dehydrated "$(package_version dehydrated)" dehydrated nginx

dns_start
server_start --dns-server "127.0.0.1:$dns_port"
nginx_start
export CURL_CA_BUNDLE=$ca
mkdir base
cat >config <<END
CA=$directory
BASEDIR=$work/base
WELLKNOWN=$work/www/.well-known/acme-challenge
CONTACT_EMAIL=admin@example.test
END

# dehydrated calls every event's name with its arguments; two are ours: NAME, an unused token, VALUE
cat >hook <<END
#!/bin/sh
case \$1 in
deploy_challenge) "$here/txt" set "_acme-challenge.\$2" "\$4" ;;
clean_challenge) "$here/txt" clear "_acme-challenge.\$2" ;;
esac
END
chmod +x hook

http_01()
{
    dehydrated --config config --register --accept-terms
    dehydrated --config config -c -t http-01 -d http.example.test -d also.example.test
    check_chain base/certs/http.example.test/fullchain.pem http.example.test also.example.test
}

dns_wildcard()
{
    dehydrated --config config -c -t dns-01 -k ./hook -d '*.wild.example.test' --alias wild
    check_chain base/certs/wild/fullchain.pem '*.wild.example.test'
}

renewal()
{
    local before
    before=$(serial_of base/certs/http.example.test/cert.pem)
    dehydrated --config config -c -x -t http-01 -d http.example.test -d also.example.test
    check_chain base/certs/http.example.test/fullchain.pem http.example.test also.example.test
    [ "$before" != "$(serial_of base/certs/http.example.test/cert.pem)" ]
}

try "http-01, two names" http_01
try "dns-01, wildcard" dns_wildcard
try "renewal" renewal
