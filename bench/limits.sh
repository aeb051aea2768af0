# shellcheck shell=bash disable=SC2034,SC2154
# Rate limits: what a bucket costs when there are many, and what all of them together cost an issuance.
columns "Buckets on disk, looked at and taken from at random" buckets "made s" "bytes each" "memory MB" "look us" "take us"
for n in 1000 100000 $(either 500000 2000000); do
    mkdir "$work/buckets"
    # shellcheck disable=SC2046
    row $("$bin/bench_limits" "$work/buckets" "$n")
    rm -rf "$work/buckets"
done

# add PRESET FIGURE: to its sum over the turns.
declare -A sums
add()
{
    sums[$1-$2]=$(awk -v a="${sums[$1-$2]:-0}" -v b="$(result "$2")" 'BEGIN { print a + b }')
}

# In turns, so that whatever else the machine does meets both.
columns "Issuance, closed loop, 64 clients" limits issued/s "p50 ms" "p99 ms" "CPU ms" failed
for ((turn = 0; turn < $(either 3 6); turn++)); do
    for preset in off letsencrypt-staging; do
        server_start caraway --set "limits.preset=$preset" --set limits.requests=false
        load --clients 64 --seconds "$seconds" || true
        row "$preset" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" \
            "$(result server_cpu_ms_per_issuance)" "$(result failed)"
        add "$preset" issuances_per_second
        add "$preset" server_cpu_ms_per_issuance
        server_stop
    done
done
for figure in issuances_per_second server_cpu_ms_per_issuance; do
    note "$figure, with limits of without: $(ratio "${sums[letsencrypt-staging-$figure]}" "${sums[off-$figure]}")"
done
