# shellcheck shell=bash disable=SC2034,SC2154
# Open loop: certificates that begin at a fixed rate, whether or not those before have ended, up to 500 under way. The
# time of each counts from when it was due, so that a server that lags cannot hide it.
at_rate()
{
    local kind=$1 title=$2 rates=$3 rate
    for rate in $rates; do
        server_start "$kind" "${@:4}"
        load --rate "$rate" --clients 500 --seconds "$((seconds + 1))" || true
        row "$title" "$rate" "$(result issuances_per_second)" "$(result p50)" "$(result p90)" "$(result p99)" "$(result max)" \
            "$(result server_cpu_ms_per_issuance)" "$(result failed)" "$(result unfinished)"
        server_stop
    done
}

install_peers
columns "Issuance, open loop, P-256, http-01" \
    server rate/s issued/s "p50 ms" "p90 ms" "p99 ms" "max ms" "CPU ms" failed unfinished
ask_dns=yes
at_rate caraway caraway "50 100 200 400 600 800" --set caa.mode=off
for peer in "${peers[@]}"; do
    at_rate "$peer" "$peer $(peer_version "$peer")" "$(either '50 100' '50 100 200')"
done
