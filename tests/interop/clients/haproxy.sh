#!/bin/bash
# HAProxy passes TLS through and says with the PROXY protocol who connects: log and limits know the client's address.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client haproxy "$(package_version haproxy)" haproxy

proxied= front_v1= front_v2=
free_port proxied front_v1 front_v2
server_start --set "listen-proxied=127.0.0.1:$proxied" --set trusted-proxies=127.0.0.9 \
    --set limits.new-accounts-per-address=1/3h

# Clients are on this machine, so HAProxy is told that they come from elsewhere; its own address is 127.0.0.9, and its
# health checks (version 2, LOCAL) come from there too.
cat >haproxy.cfg <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen version-1
    bind 127.0.0.1:$front_v1
    tcp-request connection set-src ipv4(192.0.2.7)
    server caraway 127.0.0.1:$proxied send-proxy source 127.0.0.9
listen version-2
    bind 127.0.0.1:$front_v2
    tcp-request connection set-src ipv6(2001:db8::7)
    server caraway 127.0.0.1:$proxied send-proxy-v2 proxy-v2-options ssl,authority,unique-id source 127.0.0.9 \
        check check-send-proxy inter 100ms
END
background haproxy.log haproxy -f haproxy.cfg
await curl -s -o curl.out --cacert "$ca" "https://localhost:$front_v1/directory"

# issue PORT FOLDER
issue()
{
    "$bin/caraway-client" issue --directory "https://localhost:$1/directory" --ca-file "$ca" --out "$2" \
        --http-port "$http_port" --domain "$2.example.test"
}

# through PORT FOLDER ADDRESS: the first account of an address passes, the second meets the limit.
through()
{
    mkdir "$2" "$2-again"
    issue "$1" "$2"
    check_chain "$2/$2.example.test-fullchain.pem" "$2.example.test"
    ! issue "$1" "$2-again" >again.txt 2>&1
    grep -F "too many new registrations (1) from this IP address, $3" again.txt
    grep -F "\"event\":\"account.created\"" server.log | grep -F "\"peer\":\"${3%/64}"
}

no_other_address()
{
    ! grep -F '"peer":"127.0.0.' server.log
}

try "PROXY version 1" through "$front_v1" one 192.0.2.7
try "PROXY version 2, with health checks" through "$front_v2" two 2001:db8::/64
try "nobody came from HAProxy's address" no_other_address
