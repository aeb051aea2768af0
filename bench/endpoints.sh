# shellcheck shell=bash disable=SC2034,SC2154
# Each request of an issuance alone, over and over, 8 clients on kept connections: what it costs the server. "authorization",
# "challenge" and "issuance" (the order) are looked at when their work is done. Then the handshakes.
endpoint()
{
    local kind=$1 step=$2
    shift 2
    load --clients 8 --seconds "$(either 1 "$seconds")" --only "$step" "$@" || true
    row "$kind" "$step" "${how:-keep}" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" \
        "$(result server_cpu_ms_per_issuance)" "$(result failed)"
}

every_endpoint()
{
    local kind=$1 title=$2 step how
    server_start "$kind"
    for step in directory nonce account order authorization challenge issuance certificate; do
        # Pebble refuses a challenge that is valid already
        [ "$kind $step" = "pebble challenge" ] || endpoint "$title" "$step"
    done
    for how in resume new; do
        endpoint "$title" directory --connections "$how"
    done
    server_stop
}

install_peers
columns "Each request alone, closed loop, 8 clients" server request connection requests/s "p50 ms" "p99 ms" "CPU ms" failed
every_endpoint caraway caraway
for peer in "${peers[@]}"; do
    every_endpoint "$peer" "$peer $(peer_version "$peer")"
done
