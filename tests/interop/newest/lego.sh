#!/bin/bash
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client lego-library 5.6.0 go

server_start
export LEGO_CA_CERTIFICATES=$ca

build()
{
    mkdir -p program
    cp "$here/newest/lego.go" program/main.go
    cd program
    [ -s go.mod ] || go mod init interop
    go mod edit -require=github.com/go-acme/lego/v5@v5.6.0
    go build -mod=mod -o ../lego5 .
}

everything()
{
    ./lego5 "$directory" "$http_port"
    check_chain first.pem ari.example.test www.ari.example.test
    check_chain renewed.pem ari.example.test www.ari.example.test
    [ "$(serial_of first.pem)" != "$(serial_of renewed.pem)" ]
}

replaced()
{
    local serial
    serial=$(openssl x509 -in first.pem -noout -serial | sed 's/serial=//' | tr A-F a-f)
    "$bin/caraway" cert show "$serial" --data "$work/data" | grep 'replaced_by:'
}

address()
{
    openssl x509 -in ip.pem -noout -ext subjectAltName | grep 'IP Address:127.0.0.1'
    openssl verify -CAfile "$root" -untrusted ip.pem ip.pem
}

short()
{
    openssl x509 -in short.pem -noout -checkend $((159 * 3600 - 3600))
    ! openssl x509 -in short.pem -noout -checkend $((161 * 3600))
}

try "the program builds" build
try "http-01; renewal by ARI; key rollover" everything
try "the predecessor is marked as replaced" replaced
try "a certificate for an IP address" address
try "the profile shortlived" short
