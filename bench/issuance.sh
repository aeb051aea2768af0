# shellcheck shell=bash disable=SC2034,SC2154
# Closed loop: N clients, each asking for one certificate after the other, each with a new name and an http-01 challenge.
# One row a server and N; every server asks the same DNS for the names, none asks for CAA records or has rate limits.

# closed_loop KIND TITLE CLIENTS [SERVER-ARGUMENT...]: a server for each N, so that none inherits a hang.
closed_loop()
{
    local kind=$1 title=$2 clients=$3
    shift 3
    for n in $clients; do
        server_start "$kind" "$@"
        load --clients "$n" --seconds "$(seconds_for "$n")" || true
        row "$title" "$n" "$(result issuances_per_second)" "$(result p50)" "$(result server_ms)" "$(result p99)" \
            "$(result server_cpu_ms_per_issuance)" "$(per_cpu_second)" "$(result client_cpu_ms_per_issuance)" \
            "$(result issued)" "$(result failed)" "$(result unfinished)"
        server_stop
    done
}

install_peers
columns "Issuance, closed loop, P-256, http-01, connections kept" \
    server clients issued/s "p50 ms" "server ms" "p99 ms" "CPU ms" "per CPU s" "client ms" issued failed unfinished
ask_dns=yes
closed_loop caraway "caraway (durable)" "1 8 64 256 1000" --set caa.mode=off
ask_dns=
closed_loop caraway "caraway, dns.hosts" "1 8 64 256 1000"
for peer in "${peers[@]}"; do
    closed_loop "$peer" "$peer $(peer_version "$peer")" "$(either '1 4 64' '1 4 8 16 64 256 1000')"
done
note "server ms: what of p50 was waiting for answers; the rest is the client's own work and its pauses between polls"
note "caraway runs with --set limits.preset=off; unfinished are those under way when time was up, one a client when all is well"
note "pebble keeps everything in memory; caraway and step-ca (badger) on disk, caraway with a sync before each answer"
