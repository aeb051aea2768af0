#!/bin/bash
# Caddy gets its certificates by itself when it starts, and serves the sites with them.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client Caddy "$(caddy version 2>/dev/null | awk '{ print $1 }')" caddy

server_start
cat >Caddyfile <<END
{
    admin off
    acme_ca $directory
    acme_ca_root $ca
    email admin@example.test
    http_port $http_port
    https_port $tls_port
    default_bind 127.0.0.1
}
one.example.test, two.example.test {
    respond "hello from {host}"
}
END
background caddy.log caddy run --config Caddyfile

site()
{
    await served "$1" "$tls_port"
    [ "$(served "$1" "$tls_port")" = "hello from $1" ]
    served_chain "$1" "$tls_port" >served.pem
    check_chain served.pem "$1"
}

try "serves a site by itself" site one.example.test
try "serves a second one" site two.example.test
