#!/bin/bash
# Our own client answers each challenge itself, dns-01 too: the server asks the DNS server inside the client.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client caraway-client "$("$bin/caraway-client" --version | awk '{ print $2 }')" "$bin/caraway-client"

dns_port=
free_port dns_port
server_start --dns-server "127.0.0.1:$dns_port"

issue()
{
    "$bin/caraway-client" issue --directory "$directory" --ca-file "$ca" --out . --http-port "$http_port" \
        --tls-port "$tls_port" --dns-port "$dns_port" "$@"
}

by_challenge()
{
    issue --challenge "$1" --domain "$1.example.test" --domain "also-$1.example.test"
    check_chain "$1.example.test-fullchain.pem" "$1.example.test" "also-$1.example.test"
}

dns_wildcard()
{
    issue --challenge dns-01 --domain '*.wild.example.test'
    check_chain _wildcard.wild.example.test-fullchain.pem '*.wild.example.test'
}

renewal()
{
    local before
    before=$(serial_of http-01.example.test.pem)
    by_challenge http-01
    [ "$before" != "$(serial_of http-01.example.test.pem)" ]
}

try "http-01, two names" by_challenge http-01
try "tls-alpn-01, two names" by_challenge tls-alpn-01
try "dns-01, two names" by_challenge dns-01
try "dns-01, wildcard" dns_wildcard
try "renewal" renewal
