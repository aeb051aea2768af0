# shellcheck shell=bash disable=SC2034,SC2154
# Validations that hang: N targets that never answer, and what that does to 8 clients whose targets do. BENCH_DEAD="N N"
# says how many.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

# hanging: how many connections to the black hole there are.
hanging()
{
    local port
    printf -v port '%04X' "$http_port"
    awk -v to="0900007F:$port" '$3 == to { n++ } END { print n + 0 }' /proc/net/tcp
}

hang()
{
    [ "$(hanging)" -ge "$1" ]
}

healthy()
{
    load --clients 8 --seconds "$((seconds * 2))" || true
    base=${base:-$(result p99)}
    row "$1 hang" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" "$(ratio "$(result p99)" "$base")" \
        "$(result server_cpu_ms_per_issuance)" "$(memory_of VmRSS)" "$(result failed)"
}

# Each dead client asks once and looks for the outcome long after we are done.
beside()
{
    local count=$1 hole dead dead_port
    server_start caraway --set 'dns.hosts=*.dead.test=127.0.0.9,*.example.test=127.0.0.1' --set validation.timeout=5m \
        --set validation.connect-timeout=5m --set "web.max-connections=$((2 * count + 1000))"
    "$bin/bench_black_hole" 127.0.0.9 "$http_port" &
    hole=$!
    if [ "$count" -gt 0 ]; then
        free_port dead_port
        "$bin/caraway-client" load --directory "$directory" --ca-file "$ca" --clients "$count" --count "$count" \
            --http-port "$dead_port" --suffix dead.test --poll 60000 --patience 600 >"$work/dead.log" 2>&1 &
        dead=$!
        await 120 hang "$count" || { echo "only $(hanging) validations hang" >&2; cat "$work/dead.log" >&2; }
        sleep 3 # until their last requests are answered
    fi
    healthy "$count"
    [ "$count" -eq 0 ] || kill "$dead"
    kill "$hole"
    server_stop
}

base=''
columns "Dead targets: 8 healthy clients beside N validations that hang" dead issued/s "p50 ms" "p99 ms" "of none's" "CPU ms" \
    "RSS MB" failed
for count in ${BENCH_DEAD:-$(either '0 1000' '0 1000 10000')}; do
    beside "$count"
done
