# shellcheck shell=bash disable=SC2034,SC2154
# caraway-client load as it comes, with 1, 8, 64 and 256 clients one after the other against one server: no error, no
# hang, and not fewer issuances a second with 256 than with 8.
columns "One server, one load after the other" clients seconds issued/s "p50 ms" "server ms" "p99 ms" "CPU ms" issued failed unfinished
server_start caraway
for n in 1 8 64 256; do
    load --clients "$n" --seconds "$seconds" || true
    row "$n clients" "$seconds" "$(result issuances_per_second)" "$(result p50)" "$(result server_ms)" "$(result p99)" \
        "$(result server_cpu_ms_per_issuance)" "$(result issued)" "$(result failed)" "$(result unfinished)"
done
server_stop
