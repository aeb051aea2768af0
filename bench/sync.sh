# shellcheck shell=bash disable=SC2034,SC2154
# A disk that takes its time: every sync is delayed by slow_sync.so. Group commit should hide most of it from many clients.
slowed()
{
    local clients=$1 delay base=
    for delay in 0 1 5 20; do
        under=(env "LD_PRELOAD=$bin/slow_sync.so" "SLOW_SYNC_US=$((delay * 1000))")
        server_start caraway
        under=()
        load --clients "$clients" --seconds "$seconds" || true
        base=${base:-$(result issuances_per_second)}
        row "$clients clients" "$delay" "$(result issuances_per_second)" "$(ratio "$(result issuances_per_second)" "$base")" \
            "$(result p50)" "$(result p99)" "$(result server_cpu_ms_per_issuance)" "$(result failed)"
        server_stop
    done
}

columns "Sync latency injected, closed loop" load "sync +ms" issued/s "of +0 ms" "p50 ms" "p99 ms" "CPU ms" failed
for n in 1 64 256; do
    slowed "$n"
done
