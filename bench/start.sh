# shellcheck shell=bash disable=SC2034,SC2154
# From the program's start to its first answer, and its memory then; the first time makes keys and certificates.
install_peers
columns "Start" server "first ms" "again ms" "idle MB" "anon MB"
starts()
{
    local kind=$1 title=$2 began first
    data=$work/start-$kind
    began=$EPOCHREALTIME
    server_start "$kind"
    first=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f\n", 1000 * (b - a) }')
    server_stop
    began=$EPOCHREALTIME
    server_start "$kind"
    row "$title" "$first" "$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f\n", 1000 * (b - a) }')" \
        "$(memory_of VmRSS)" "$(memory_of RssAnon)"
    server_stop
}
starts caraway caraway
for peer in "${peers[@]}"; do
    starts "$peer" "$peer $(peer_version "$peer")"
done
note "the peers' times hold the making of keys by openssl, and up to 20 ms between two looks"
