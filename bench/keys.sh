# shellcheck shell=bash disable=SC2034,SC2154
# What keys and connections cost: P-256 and RSA-2048 for accounts and certificates, a kept connection, a new one for
# each request, and renewals, where what was proved once is used again. 8 clients.
variant()
{
    local title=$1
    shift
    server_start caraway "${server_arguments[@]}"
    load --clients 8 --seconds "$seconds" "$@" || true
    row "$title" "$(result issuances_per_second)" "$(result p50)" "$(result p99)" \
        "$(result server_cpu_ms_per_issuance)" "$(result client_cpu_ms_per_issuance)" "$(result issued)" "$(result failed)"
    server_stop
}

server_arguments=()
columns "Keys and connections, closed loop, 8 clients" variant issued/s "p50 ms" "p99 ms" "CPU ms" "client ms" issued failed
variant "all P-256, kept"
variant "account RSA-2048" --account-key rsa-2048
variant "certificate RSA-2048" --key rsa-2048
variant "both RSA-2048" --account-key rsa-2048 --key rsa-2048
variant "TLS session resumed" --connections resume
variant "new connection" --connections new
variant "renewal, kept" --renew
server_arguments=(--set caa.mode=off)
ask_dns=yes
variant "http-01, asking DNS"
ask_dns=
free_port dns_01_port
server_arguments+=(--dns-server "127.0.0.1:$dns_01_port")
variant "dns-01" --challenge dns-01 --dns-port "$dns_01_port"
server_arguments=()
variant "tls-alpn-01" --challenge tls-alpn-01
