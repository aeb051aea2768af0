# shellcheck shell=bash disable=SC2034,SC2154
# The cost of growth: how fast certificates are issued, how soon the server answers and what it takes, with N certificates
# in the store, beside a store that began empty. BENCH_GROWTH="100000 …" says which N. Each store is made by `caraway
# import` from the export of a store with one certificate, multiplied by bench_seed. Both servers run, and are measured
# by turns, so that whatever else the machine does meets both.
turns=$(either 3 6)

# seed_template: a data directory with one certificate, and what it exports.
seed_template()
{
    data=$work/template
    server_start caraway
    "$bin/caraway-client" issue --directory "$directory" --ca-file "$ca" --http-port "$http_port" \
        --domain seed-0000000000.example.test --out "$work/issued" >"$work/issue.log" || cat "$work/issue.log" >&2
    server_stop
    "$bin/caraway" export --data "$data" - >"$work/template.jsonl" 2>/dev/null
    rm -r "$data/db"
}

# start_with COUNT: a server with so many certificates; the first it issues are not like the others.
start_with()
{
    local count=$1 began bytes
    data=$work/store-$count imported=- each=-
    cp -r "$work/template" "$data"
    if [ "$count" -gt 0 ]; then
        began=$EPOCHREALTIME
        "$bin/bench_seed" "$count" <"$work/template.jsonl" | "$bin/caraway" import --data "$data" - >"$work/import.log" 2>&1 ||
            { cat "$work/import.log" >&2; return 1; }
        imported=$(awk -v ms="$(ms_since "$began")" 'BEGIN { printf "%.1f\n", ms / 1000 }')
        bytes=$(du -s --block-size=1 "$data/db" | cut -f1)
        each=$(ratio "$bytes" "$count")
    fi
    server_start caraway
    idle=$(memory_of VmRSS)
    load --clients 64 --seconds "$seconds" || true
    server_keep "$count"
}

# measure COUNT: one turn, added to its sums.
declare -A sums
measure()
{
    local figure
    server_use "$1"
    load --clients 64 --seconds "$((seconds * 2))" || true
    row "$1 certificates" "$(result issuances_per_second)" "$(result p50)" "$(result server_cpu_ms_per_issuance)" \
        "$(result failed)"
    for figure in issuances_per_second server_cpu_ms_per_issuance; do
        sums[$1-$figure]=$(awk -v a="${sums[$1-$figure]:-0}" -v b="$(result "$figure")" 'BEGIN { print a + b }')
    done
}

compare()
{
    local count=$1 turn
    sums=()
    for ((turn = 0; turn < turns; turn++)); do
        measure 0
        measure "$count"
    done
    note "$count certificates beside none: $(ratio "${sums[$count-issuances_per_second]}" "${sums[0-issuances_per_second]}")" \
        "of the throughput, $(ratio "${sums[$count-server_cpu_ms_per_issuance]}" "${sums[0-server_cpu_ms_per_issuance]}")" \
        "of the CPU, over $turns turns"
}

stop_with()
{
    server_use "$1"
    unset "servers[$1]"
    server_stop
    rm -r "$server_home"
}

seed_template
counts=${BENCH_GROWTH:-$(either 100000 '100000 1000000')}
columns "Stores" store "import s" "start ms" "idle MB" "bytes each"
for count in 0 $counts; do
    start_with "$count"
    row "$count certificates" "$imported" "$start_ms" "$idle" "$each"
done
columns "Cost of growth, closed loop, 64 clients, by turns" store issued/s "p50 ms" "CPU ms" failed
for count in $counts; do
    compare "$count"
    stop_with "$count"
done
stop_with 0
