# shellcheck shell=bash disable=SC2034,SC2154
# Memory when nothing happens and over many issuances, 64 clients: a leak or a cache without a bound shows as a slope.
# BENCH_MEMORY=N says how many issuances in all.
total=${BENCH_MEMORY:-$(either 5000 100000)}
steps=10
columns "Memory over $total issuances, 64 clients" after issued/s "p50 ms" "p99 ms" "CPU ms" "RSS MB" "anon MB" "db MB" failed
server_start caraway
row "start (idle)" - - - - "$(memory_of VmRSS)" "$(memory_of RssAnon)" - -
for step in $(seq "$steps"); do
    load --clients 64 --count "$((total / steps))" || true
    row "$((step * total / steps))" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" \
        "$(result server_cpu_ms_per_issuance)" "$(memory_of VmRSS)" "$(memory_of RssAnon)" \
        "$(du -sm "$server_home/db" | cut -f1)" "$(result failed)"
done
server_stop
note "RSS counts the pages of the database that are mapped, which the kernel takes back at will; anon is what was allocated"
