#!/bin/bash
# shellcheck disable=SC2034,SC2154 # free_port assigns the ports; what server_start sets is read by the benchmarks
# lib.sh NAME: runs one benchmark, bench/NAME.sh, on the ground that follows. script/bench calls it.
#
# A benchmark starts servers (server_start), puts load on them (load), reads what came out (result) and writes a table
# (columns, row). Ratios within one run say something; a figure by itself depends on the machine and the hour.
set -euo pipefail
root=${BENCH_ROOT:?run script/bench}
name=$1
bin=$root/build/release/bin
out=$root/build/bench
work=$(mktemp -d -p "${BENCH_WORK:-$out}")
if [ -n "${BENCH_LONG:-}" ]; then
    seconds=${BENCH_SECONDS:-10}
else
    seconds=${BENCH_SECONDS:-2}
fi

# seconds_for CLIENTS: many clients need a while until each has had a turn.
seconds_for()
{
    echo "$((seconds + $1 / 200))"
}

# either SHORT LONG: what is fitting for the form that runs.
either()
{
    if [ -n "${BENCH_LONG:-}" ]; then echo "$2"; else echo "$1"; fi
}

declare -A servers=()
server_pid='' names_pid='' ask_dns='' under=()
finish()
{
    local status=$?
    set +e
    server_stop
    for kept in "${!servers[@]}"; do
        server_use "$kept"
        server_stop
    done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

# ms_since EPOCHREALTIME
ms_since()
{
    awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", 1000 * (b - a) }'
}

# ---- servers

# free_port VARIABLE...: ports below the ephemeral range that nobody listens on.
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

# await SECONDS COMMAND...: until it succeeds.
await()
{
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "gave up waiting: $*" >&2; return 1; }
        sleep 0.02
    done
}

# server_start KIND [ARGUMENT...]: a server with nothing in it, unless $data names a directory. Afterwards $directory,
# $ca, $server_pid, and $start_ms, how long it took until it answered; peers ask a DNS
# server for names, Caraway does when $ask_dns is set. In $under stands what runs the server (env, nothing).
server_start()
{
    local kind=$1
    shift
    free_port acme_port management_port http_port dns_port
    server_home=${data:-$work/$kind-$acme_port}
    mkdir -p "$server_home"
    [ "$kind$ask_dns" = caraway ] || names_start
    "start_${kind//-/_}" "$@"
}

# A DNS server by which every name is this machine.
names_start()
{
    local names_port
    free_port names_port
    "$bin/caraway-challtestsrv" -dnsserver "127.0.0.1:$dns_port" -management "127.0.0.1:$names_port" -defaultIPv6 '' \
        -http01 '' -https01 '' -tlsalpn01 '' >"$work/names.log" 2>&1 &
    names_pid=$!
    await 10 curl -s -o /dev/null "http://127.0.0.1:$names_port/"
}

start_caraway()
{
    local more=()
    [ -z "$ask_dns" ] || more=(--dns-server "127.0.0.1:$dns_port")
    mkfifo "$work/ready"
    exec 7<>"$work/ready"
    local began=$EPOCHREALTIME
    "${under[@]}" "$bin/caraway" --data "$server_home" --ready-fd 7 --listen "127.0.0.1:$acme_port" \
        --set management.listen= --set limits.preset=off --set "validation.http-port=$http_port" "${more[@]}" "$@" \
        >"$work/server.log" 2>&1 &
    server_pid=$!
    read -r -t "${start_patience:-60}" -u 7 || { cat "$work/server.log" >&2; return 1; }
    start_ms=$(ms_since "$began")
    exec 7<&-
    rm "$work/ready"
    directory=https://127.0.0.1:$acme_port/directory ca=$server_home/tls/ca.pem
}

server_stop()
{
    [ -z "$names_pid" ] || kill "$names_pid" 2>/dev/null || true
    names_pid=
    [ -n "$server_pid" ] || return 0
    kill "$server_pid" 2>/dev/null || true
    await 15 gone 2>/dev/null || kill -9 "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
    [ -n "${data:-}" ] || rm -rf "$server_home"
}

# server_keep NAME, server_use NAME: several servers at once. A kept one goes on, and is stopped after server_use.
server_keep()
{
    printf -v "servers[$1]" '%s\t' "$server_pid" "$directory" "$ca" "$http_port" "$server_home"
    server_pid=
}

server_use()
{
    IFS=$'\t' read -r server_pid directory ca http_port server_home <<<"${servers[$1]}"
}

gone()
{
    [ ! -d "/proc/$server_pid" ] || grep -q '^State:.Z' "/proc/$server_pid/status"
}

# memory_of FIELD: of the server, in MB: VmRSS (now) or VmHWM (at most so far).
memory_of()
{
    awk -v field="$1:" '$1 == field { printf "%.1f\n", $2 / 1024 }' "/proc/$server_pid/status"
}

# ---- load

# load ARGUMENT...: caraway-client load against the server; result NAME then gives a figure of its report. Errors and
# hangs are results too: status 1, and the report says what it can.
load()
{
    local status=0
    timeout 150 "$bin/caraway-client" load --json --directory "$directory" --ca-file "$ca" --http-port "$http_port" \
        --pid "$server_pid" --patience 10 "$@" >"$work/load.json" 2>"$work/load.log" || status=$?
    if ! grep -q '"issued"' "$work/load.json"; then
        echo '{"issued": 0, "failed": "-"}' >"$work/load.json"
        sed "s/^/    /" "$work/load.log" >&2
    elif [ "$status" -ne 0 ]; then
        grep -E '"(type|step|first_detail)"' "$work/load.json" | sed 's/^ */    /' >&2
    fi
    return "$status"
}

result()
{
    awk -F'"' -v name="$1" '$2 == name { value = $3; gsub(/[:, ]/, "", value); print value; found = 1; exit }
        END { if (!found) print "-" }' "$work/load.json"
}

# What a second of the server's processor time gives.
per_cpu_second()
{
    awk -v cpu="$(result server_cpu_ms_per_issuance)" 'BEGIN { if (cpu + 0 > 0) printf "%.0f\n", 1000 / cpu; else print "-" }'
}

ratio()
{
    awk -v a="$1" -v b="$2" 'BEGIN { if (b + 0 > 0) printf "%.2f\n", a / b; else print "-" }'
}

# ---- tables

# columns TITLE NAME...: begins the table. row VALUE... adds to it and prints.
columns()
{
    local title=$1 column
    shift
    table=("$@") widths=()
    printf '\n%s\n\n' "$title"
    for column in "$@"; do
        widths+=("$((${#column} > 9 ? ${#column} : 9))")
    done
    widths[0]=24
    print_cells "$@"
    close_table
    tables_json+="${tables_json:+,$'\n'}    {\"title\": \"$title\", \"rows\": ["
}

close_table()
{
    [ -z "$tables_json" ] || tables_json+="$rows_json"$'\n    ]}'
    rows_json=
}

print_cells()
{
    local i=0 cell
    for cell in "$@"; do
        if [ "$i" -eq 0 ]; then printf '%-*s' "${widths[0]}" "$cell"; else printf ' %*s' "${widths[i]}" "$cell"; fi
        i=$((i + 1))
    done
    printf '\n'
}

row()
{
    local i=0 cell line=
    print_cells "$@"
    for cell in "$@"; do
        [[ $cell =~ ^-?(0|[1-9][0-9]*)(\.[0-9]+)?$ ]] || cell="\"$cell\""
        line+="${line:+, }\"${table[i]}\": $cell"
        i=$((i + 1))
    done
    rows_json+="${rows_json:+,}"$'\n'"      {$line}"
}

note()
{
    printf '  %s\n' "$*"
    notes_json+="${notes_json:+, }\"${*//\"/\'}\""
}

machine_json()
{
    local model memory
    model=$(awk -F': *' '$1 ~ /^model name/ { print $2; exit }' /proc/cpuinfo)
    memory=$(awk '$1 == "MemTotal:" { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
    printf '{"cpu": "%s", "cores": %d, "memory_gib": %d, "kernel": "%s", "disk": "%s", "load_average": "%s"}' "$model" \
        "$(nproc)" "$memory" "$(uname -r)" "$(df --output=fstype "$work" | tail -n 1)" "$(cut -d' ' -f1 /proc/loadavg)"
}

write_json()
{
    local commit
    commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
    printf '{\n  "benchmark": "%s",\n  "commit": "%s",\n  "date": "%s",\n  "seconds_each": %s,\n  "machine": %s,\n' \
        "$name" "$commit" "$(date -u +%FT%TZ)" "$seconds" "$machine"
    close_table
    printf '  "notes": [%s],\n  "tables": [\n%s\n  ]\n}\n' "$notes_json" "$tables_json"
}

rows_json='' tables_json='' notes_json='' machine=$(machine_json)
# shellcheck source=/dev/null
. "$root/bench/peers.sh"
# shellcheck source=/dev/null
. "$root/bench/$name.sh"
write_json >"$out/$name.json"
