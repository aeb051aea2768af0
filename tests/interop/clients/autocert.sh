#!/bin/bash
# A Go server with autocert.Manager gets a certificate while its first visitor waits.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
[ ! -x /usr/lib/go/bin/go ] || PATH=/usr/lib/go/bin:$PATH # Debian's, of which the tier's table gives the library's version
client autocert "$(package_version golang-golang-x-crypto-dev)" go

server_start
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$work/../gocache GOFLAGS='' GOTOOLCHAIN=local
go build -o autocert "$here/autocert.go"
background autocert.log ./autocert "$directory" "$ca" "127.0.0.1:$tls_port" one.example.test two.example.test
await grep -qs listening autocert.log

visit()
{
    [ "$(served "$1" "$tls_port")" = "hello from $1" ]
    served_chain "$1" "$tls_port" >served.pem
    check_chain served.pem "$1"
}

try "tls-alpn-01 on the first visit" visit one.example.test
try "tls-alpn-01, a second name" visit two.example.test
