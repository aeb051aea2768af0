# shellcheck shell=bash disable=SC2034,SC2154
# From the program's start to its first answer, and its memory then; the first time makes keys and certificates.
install_peers
columns "Start" server "first ms" "again ms" "idle MB" "anon MB"
starts()
{
    local kind=$1 title=$2 first again=999999 i
    data=$work/start-$kind
    server_start "$kind"
    first=$start_ms
    server_stop
    for i in 1 2 3 4 5; do
        server_start "$kind"
        again=$(awk -v a="$again" -v b="$start_ms" 'BEGIN { print a < b ? a : b }')
        [ "$i" -eq 5 ] || server_stop
    done
    row "$title" "$first" "$again" "$(memory_of VmRSS)" "$(memory_of RssAnon)"
    server_stop
}
starts caraway caraway
for peer in "${peers[@]}"; do
    starts "$peer" "$peer $(peer_version "$peer")"
done
note "again: the best of five, with a database; the peers are asked every 20 ms whether they answer"
