# shellcheck shell=bash disable=SC2034,SC2154
# The cost of growth: how fast certificates are issued, how soon the server answers and what it takes, with N certificates
# in the store. BENCH_GROWTH="0 100000 …" says which N. Each store is made by `caraway import` from the export of a
# store with one certificate, multiplied by bench_seed.

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

with_certificates()
{
    local count=$1 began imported=-
    data=$work/store
    cp -r "$work/template" "$data"
    if [ "$count" -gt 0 ]; then
        began=$EPOCHREALTIME
        "$bin/bench_seed" "$count" <"$work/template.jsonl" | "$bin/caraway" import --data "$data" - >"$work/import.log" 2>&1 ||
            { cat "$work/import.log" >&2; return 1; }
        imported=$(awk -v ms="$(ms_since "$began")" 'BEGIN { printf "%.1f\n", ms / 1000 }')
    fi
    local bytes
    bytes=$(du -s --block-size=1 "$data/db" 2>/dev/null | cut -f1 || echo 0)
    server_start caraway
    local idle started=$start_ms
    idle=$(memory_of VmRSS)
    load --clients 64 --seconds "$((seconds * 2))" || true
    base=${base:-$(result issuances_per_second)} base_cpu=${base_cpu:-$(result server_cpu_ms_per_issuance)}
    row "$count certificates" "$imported" "$started" "$idle" "$([ "$count" -gt 0 ] && ratio "$bytes" "$count" || echo -)" \
        "$(result issuances_per_second)" "$(ratio "$(result issuances_per_second)" "$base")" "$(result p50)" \
        "$(result server_cpu_ms_per_issuance)" "$(ratio "$(result server_cpu_ms_per_issuance)" "$base_cpu")" "$(result failed)"
    server_stop
    rm -rf "$data"
}

base='' base_cpu=''
seed_template
columns "Cost of growth, closed loop, 64 clients" store "import s" "start ms" "idle MB" "bytes each" issued/s "of empty" "p50 ms" \
    "CPU ms" "of empty's" failed
for count in ${BENCH_GROWTH:-$(either '0 100000' '0 100000 1000000')}; do
    with_certificates "$count"
done
