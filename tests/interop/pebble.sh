# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by server_start: Pebble in Caraway's place, to tell a client's trouble from ours.
[ -n "${dns_port:-}" ] || dns_start
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pebble.key -out pebble.pem -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat >pebble.json <<END
{"pebble": {"listenAddress": "127.0.0.1:$acme_port", "managementListenAddress": "127.0.0.1:$management_port",
  "certificate": "pebble.pem", "privateKey": "pebble.key", "httpPort": $http_port, "tlsPort": $tls_port,
  "certificateValidityPeriod": 7776000${pebble_more:-}}}
END
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 background server.log \
    pebble -config pebble.json -dnsserver "127.0.0.1:$dns_port"
ca=$work/pebble.pem root=$work/root.pem directory=https://localhost:$acme_port/dir
await curl -s --cacert "$ca" -o "$root" "https://localhost:$management_port/roots/0"
