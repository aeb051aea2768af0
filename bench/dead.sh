# shellcheck shell=bash disable=SC2034,SC2154
# Validations that hang: N targets that take the connection and never answer, and what that does to 8 clients whose
# targets do. Two servers, one with nothing hanging, measured by turns: so the ratio of their p99s says little of what
# else the machine does. BENCH_DEAD="N N" says how many hang. Each is a descriptor of the server's, and so is each client:
# what asks for them asks for 100 names at once, or the system's limit on open files would be met first.
names_each=100 turns=$(either 3 5)

# hanging: how many validations are connected to the black hole.
hanging()
{
    local port
    printf -v port '%04X' "$http_port"
    awk -v to="0900007F:$port" '$3 == to && $4 == "01" { n++ } END { print n + 0 }' /proc/net/tcp
}

hang()
{
    [ "$(hanging)" -ge "$1" ]
}

# quiet: the server has done nothing for a while.
quiet()
{
    local before
    before=$(server_ticks)
    sleep 0.5
    [ "$(($(server_ticks) - before))" -le 1 ]
}

server_ticks()
{
    awk '{ print $14 + $15 }' "/proc/$server_pid/stat"
}

# Each dead client asks once and looks for the outcome long after we are done.
hang_begin()
{
    local dead_port
    "$bin/bench_black_hole" 127.0.0.9 "$http_port" &
    hole=$!
    free_port dead_port
    "$bin/caraway-client" load --directory "$directory" --ca-file "$ca" --clients "$((($1 + names_each - 1) / names_each))" \
        --names "$names_each" --count 1000000 --http-port "$dead_port" --suffix dead.test --poll 60000 --patience 600 \
        >"$work/dead.log" 2>&1 &
    dead=$!
    await 120 hang "$1" || { echo "only $(hanging) validations hang" >&2; cat "$work/dead.log" >&2; }
    await 30 quiet
}

# The first certificates of a server are not like the others.
start_warm()
{
    server_start caraway --set 'dns.hosts=*.dead.test=127.0.0.9,*.example.test=127.0.0.1' --set validation.timeout=10m \
        --set validation.connect-timeout=10m --set web.max-connections=512
    load --clients 8 --seconds "$seconds" || true
}

# healthy SERVER: measures the clients whose targets answer.
healthy()
{
    server_use "$1"
    load --clients 8 --seconds "$((seconds * 2))" || true
    row "$1" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" "$(result server_cpu_ms_per_issuance)" \
        "$(memory_of RssAnon)" "$(result failed)"
}

stop_kept()
{
    local kept
    for kept in "$@"; do
        server_use "$kept"
        server_stop
        unset "servers[$kept]"
    done
}

beside()
{
    local count=$1 turn before each alone=0 crowded=0
    start_warm
    server_keep 'none hang'
    start_warm
    before=$(memory_of RssAnon)
    hang_begin "$count"
    each=$(awk -v a="$(memory_of RssAnon)" -v b="$before" -v n="$count" 'BEGIN { printf "%.1f", 1024 * (a - b) / n }')
    server_keep "$count hang"
    for ((turn = 0; turn < turns; turn++)); do
        healthy 'none hang'
        alone=$(sum "$alone" "$(result p99)")
        healthy "$count hang"
        crowded=$(sum "$crowded" "$(result p99)")
    done
    note "p99 beside $count that hang: $(ratio "$crowded" "$alone") of that beside none; memory of each: $each KB"
    kill "$dead"
    stop_kept 'none hang' "$count hang"
    kill "$hole"
}

sum()
{
    awk -v a="$1" -v b="$2" 'BEGIN { print a + b }'
}

columns "Dead targets: 8 healthy clients beside N validations that hang" dead issued/s "p50 ms" "p99 ms" "CPU ms" "anon MB" \
    failed
for count in ${BENCH_DEAD:-$(either 1000 '1000 10000')}; do
    if [ "$(ulimit -Hn)" -lt "$((count + 1000))" ]; then
        note "$count cannot hang: the system allows $(ulimit -Hn) open files a process (ulimit -Hn)"
    elif [ "$count" -gt 0 ]; then
        beside "$count"
    fi
done
