# shellcheck shell=bash disable=SC2034
# Common ground of the interop tests: sourced by each clients/NAME.sh. A test starts a server of its own on free ports,
# runs a real client against it the way its users do, and checks what came out. It never touches port 80, the system's
# certificate store or anybody's home.
#
# After server_start: $directory (URL), $ca (authority behind the server's HTTPS), $root (authority behind the
# certificates), $http_port and $tls_port (where validations go). $work is this client's own folder.
set -euo pipefail
here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
bin=${INTEROP_BIN:?folder of the built programs}
work=${INTEROP_WORK:?folder to work in}/$(basename "$0" .sh)
results=${INTEROP_RESULTS:?file that takes the rows}
server_kind=${INTEROP_SERVER:-caraway}

rm -rf "$work"
mkdir -p "$work/home"
cd "$work"
export HOME=$work/home XDG_DATA_HOME=$work/home XDG_CONFIG_HOME=$work/home no_proxy='*'
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

started=() server_pid=
stop_all()
{
    local left=$? pid status
    set +e
    [ ! -s "$work/nginx/pid" ] || kill "$(cat "$work/nginx/pid")" 2>/dev/null
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
        status=$?
        if [ "$pid" = "$server_pid" ] && [ "$status" -ne 0 ]; then
            record "the server left with status $status" FAIL -
            tail -n 40 "$work/server.log" | sed 's/^/      server: /'
        fi
    done
    exit "$left"
}
trap stop_all EXIT
trap 'exit 1' INT TERM

# background LOG COMMAND...: runs until the test ends.
background()
{
    local log=$1
    shift
    "$@" >"$log" 2>&1 &
    started+=($!)
}

# await COMMAND...: until it succeeds, at most 20 seconds.
await()
{
    local deadline=$((SECONDS + 20))
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "gave up waiting: $*" >&2; return 1; }
        sleep 0.05
    done
}

# free_port VARIABLE...: ports below the ephemeral range that nobody listens on and no other variable here has.
free_port()
{
    local variable port hex
    for variable in "$@"; do
        while :; do
            port=$((20000 + RANDOM % 10000))
            printf -v hex ':%04X ' "$port"
            [[ " ${ports_given:-} " == *" $port "* ]] || grep -qF "$hex" /proc/net/tcp /proc/net/tcp6 /proc/net/udp || break
        done
        ports_given="${ports_given:-} $port"
        printf -v "$variable" %s "$port"
    done
}

record()
{
    printf '%s\t%s\t%s\t%s\t%s\n' "$client" "$version" "$1" "$2" "$3" >>"$results"
    printf '%-5s %-14s %-10s %-44s %s\n' "$2" "$client" "$version" "$1" "$3"
}

# For clients that do not tell their own.
package_version()
{
    dpkg-query -W -f='${Version}' "$1" 2>/dev/null | sed 's/.*://; s/-.*//' || echo unknown
}

# client NAME VERSION PROGRAM...: who this test is about; a missing program makes one skipped row.
client()
{
    client=$1 version=$2
    shift 2
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || { record "$program is not installed" skip -; exit 0; }
    done
}

# try WHAT FUNCTION: one row of the table. The function runs in a shell of its own that stops at its first error.
try()
{
    local what=$1 log began status
    log=$work/${what//[^a-z0-9]/-}.log
    shift
    began=$EPOCHREALTIME
    set +e
    (set -ex; trap - EXIT; "$@") >"$log" 2>&1
    status=$?
    set -e
    local took
    took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    if [ "$status" -eq 0 ]; then
        record "$what" ok "$took"
    else
        record "$what" FAIL "$took"
        tail -n 25 "$log" | sed 's/^/      /'
        [ ! -s "$work/server.log" ] || tail -n 8 "$work/server.log" | sed 's/^/      server: /'
    fi
}

# A DNS server that the test fills through ./txt; names that were not given point to loopback.
dns_start()
{
    free_port dns_port DNS_MANAGEMENT
    export DNS_MANAGEMENT
    if [ "$server_kind" = pebble ]; then
        background dns.log pebble-challtestsrv -dns01 "127.0.0.1:$dns_port" -management "127.0.0.1:$DNS_MANAGEMENT" \
            -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 ''
    else
        background dns.log "$bin/caraway-challtestsrv" -dnsserver "127.0.0.1:$dns_port" \
            -management "127.0.0.1:$DNS_MANAGEMENT" -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 ''
    fi
    await curl -s -o /dev/null "http://127.0.0.1:$DNS_MANAGEMENT/"
}

# server_start ARGUMENT...: a fresh server with an empty data directory.
server_start()
{
    free_port acme_port management_port http_port tls_port
    if [ "$server_kind" = pebble ]; then
        . "$here/pebble.sh"
        return
    fi
    mkfifo ready
    exec 7<>ready
    background server.log "$bin/caraway" --data "$work/data" --ready-fd 7 \
        --set "listen=localhost:$acme_port" --set "management.listen=localhost:$management_port" \
        --set "validation.http-port=$http_port" --set "validation.tls-port=$tls_port" "$@"
    server_pid=$!
    read -r -t 20 -u 7 || { echo "the server did not become ready:"; cat server.log; exit 1; }
    directory=https://localhost:$acme_port/directory
    ca=$work/data/tls/ca.pem
    root=$work/data/ca/root.pem
}

# nginx_start [SERVER-BLOCK...]: a web server on the http-01 port that serves $work/www, with these blocks added.
nginx_start()
{
    mkdir -p www/.well-known/acme-challenge nginx
    [ "$(id -u)" -ne 0 ] || echo "user $(id -un) $(id -gn);" >nginx/nginx.conf
    cat >>nginx/nginx.conf <<END
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events {}
http {
    access_log off;
    client_body_temp_path nginx/body; proxy_temp_path nginx/proxy; fastcgi_temp_path nginx/fastcgi;
    uwsgi_temp_path nginx/uwsgi; scgi_temp_path nginx/scgi;
    server { listen 127.0.0.1:$http_port default_server; root $work/www; }
    $*
}
END
    nginx_control
}

nginx_control()
{
    nginx -p "$work" -e "$work/nginx/error.log" -c "$work/nginx/nginx.conf" "$@"
}

# check_chain FILE NAME...: leaf and intermediates as the client stored them. They verify from the root, the leaf is
# for exactly these names, and it lives 90 days.
check_chain()
{
    local file=$1 leaf=$work/leaf.pem names from until
    shift
    openssl x509 -in "$file" -out "$leaf"
    openssl verify -x509_strict -purpose sslserver -CAfile "$root" -untrusted "$file" "$leaf"
    names=$(openssl x509 -in "$leaf" -noout -ext subjectAltName | grep -o 'DNS:[^, ]*' | sed 's/DNS://' | sort | xargs)
    [ "$names" = "$(printf '%s\n' "$@" | sort | xargs)" ]
    from=$(openssl x509 -in "$leaf" -noout -startdate) until=$(openssl x509 -in "$leaf" -noout -enddate)
    lifetime_s=$(($(date -d "${until#*=}" +%s) - $(date -d "${from#*=}" +%s)))
    [ "$lifetime_s" -ge $((90 * 86400 - 1)) ] && [ "$lifetime_s" -le $((90 * 86400)) ]
}

# revoked FILE: the server says that this certificate is revoked.
revoked()
{
    local serial
    serial=$(openssl x509 -in "$1" -noout -serial | sed 's/serial=//' | tr A-F a-f)
    "$bin/caraway" cert show "$serial" --data "$work/data" | grep -x 'state: revoked'
}

serial_of()
{
    openssl x509 -in "$1" -noout -serial
}

# served NAME PORT: what a browser that trusts the root gets.
served()
{
    curl -sS --fail --cacert "$root" --resolve "$1:$2:127.0.0.1" "https://$1:$2/"
}

# served_chain NAME PORT: the chain as the server at PORT sends it.
served_chain()
{
    openssl s_client -connect "127.0.0.1:$2" -servername "$1" -showcerts </dev/null 2>/dev/null |
        sed -n '/BEGIN CERT/,/END CERT/p'
}
