#!/bin/bash
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client acme-tiny "$(package_version acme-tiny)" acme-tiny nginx

server_start
nginx_start
export SSL_CERT_FILE=$ca

http_01()
{
    openssl genrsa -out account.key 2048
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout site.key -out site.csr -subj / \
        -addext subjectAltName=DNS:http.example.test,DNS:also.example.test
    acme-tiny --account-key account.key --csr site.csr --acme-dir www/.well-known/acme-challenge --disable-check \
        --directory-url "$directory" >site.pem
    check_chain site.pem http.example.test also.example.test
}

try "http-01, two names" http_01
