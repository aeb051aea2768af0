# shellcheck shell=bash disable=SC2034,SC2154
# The servers Caraway is compared with, built from their newest release by Go, and started on the ground of lib.sh.
# Akāmu is not among them: neither crates.io nor the Go proxy carries it.
export GOPATH=$out/go
peers=()

# install_peer PROGRAM PACKAGE: once. CGO is left out because step-ca would want smart card headers.
install_peer()
{
    [[ " ${BENCH_PEERS-pebble step-ca} " == *" $1 "* ]] || return 0
    if [ ! -x "$GOPATH/bin/$1" ]; then
        if ! command -v go >/dev/null; then
            note "$1 is left out: it needs Go"
            return 0
        fi
        echo "bench: building $1" >&2
        if ! CGO_ENABLED=0 GOFLAGS=-modcacherw go install "$2@latest" >"$out/$1.log" 2>&1; then
            note "$1 is left out: go install failed, see build/bench/$1.log"
            return 0
        fi
    fi
    peers+=("$1")
}

install_peers()
{
    install_peer pebble github.com/letsencrypt/pebble/v2/cmd/pebble
    install_peer step-ca github.com/smallstep/certificates/cmd/step-ca
}

# peer_version PROGRAM: as Go noted it in the program.
peer_version()
{
    go version -m "$GOPATH/bin/$1" | awk '$1 == "mod" { print $3; exit }'
}

answers()
{
    kill -0 "$server_pid" 2>/dev/null || { cat "$work/server.log" >&2; return 1; }
    curl -s -o /dev/null --cacert "$ca" "$directory"
}

# A certificate for the server's own HTTPS: make_authority FILE NAME [SIGNER].
self_signed()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 30 \
        -subj "/CN=$2" "${@:3}" 2>/dev/null
}

# Its sleeps, its refused nonces and its reuse by chance are turned off: they are there to test clients, not for speed.
start_pebble()
{
    self_signed "$server_home/tls" localhost -addext subjectAltName=DNS:localhost
    cat >"$server_home/pebble.json" <<END
{"pebble": {"listenAddress": "127.0.0.1:$acme_port", "managementListenAddress": "127.0.0.1:$management_port",
  "certificate": "$server_home/tls.pem", "privateKey": "$server_home/tls.key", "httpPort": $http_port,
  "tlsPort": 5001, "keyAlgorithm": "ecdsa", "certificateValidityPeriod": 7776000}}
END
    local began=$EPOCHREALTIME
    PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 "$GOPATH/bin/pebble" \
        -config "$server_home/pebble.json" -dnsserver "127.0.0.1:$dns_port" >"$work/server.log" 2>&1 &
    server_pid=$!
    directory=https://localhost:$acme_port/dir ca=$server_home/tls.pem
    await 20 answers
    start_ms=$(ms_since "$began")
}

# As `step ca init --acme` sets it up, with its default database.
start_step_ca()
{
    self_signed "$server_home/root" "Bench Root" -addext basicConstraints=critical,CA:TRUE
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$server_home/intermediate.key" \
        -out "$server_home/intermediate.csr" -subj "/CN=Bench Intermediate" 2>/dev/null
    openssl x509 -req -in "$server_home/intermediate.csr" -CA "$server_home/root.pem" -CAkey "$server_home/root.key" \
        -days 30 -out "$server_home/intermediate.pem" -extfile <(printf '%s\n' \
        basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=critical,keyCertSign,cRLSign) 2>/dev/null
    cat >"$server_home/ca.json" <<END
{"root": "$server_home/root.pem", "crt": "$server_home/intermediate.pem", "key": "$server_home/intermediate.key",
  "address": "127.0.0.1:$acme_port", "dnsNames": ["localhost"], "logger": {"format": "text"},
  "db": {"type": "badgerv2", "dataSource": "$server_home/db"},
  "authority": {"provisioners": [{"type": "ACME", "name": "acme"}]}}
END
    local began=$EPOCHREALTIME
    HOME=$server_home STEPPATH=$server_home "$GOPATH/bin/step-ca" --resolver "127.0.0.1:$dns_port" --insecure \
        --acme-http-port "$http_port" "$server_home/ca.json" >"$work/server.log" 2>&1 &
    server_pid=$!
    directory=https://localhost:$acme_port/acme/acme/directory ca=$server_home/root.pem
    await 20 answers
    start_ms=$(ms_since "$began")
}
