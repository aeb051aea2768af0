# shellcheck shell=bash disable=SC2034,SC2154
# Where the time of an issuance goes: perf samples the server under 64 clients, costs.txt says what a stack counts as, and
# `openssl speed` in the same minute says what the signatures must cost. The picture is build/bench/flame.svg.
perf --version >/dev/null 2>&1 || { echo "profile is left out: it needs perf (Debian's linux-perf)"; exit 0; }

# speed_us ALGORITHM sign|verify: microseconds of one, on one core.
speed_us()
{
    openssl speed -mr -seconds 1 "$1" 2>/dev/null |
        awk -F: -v column="$([ "$2" = sign ] && echo 4 || echo 5)" '/^\+F/ { printf "%.1f\n", 1e6 / $column; exit }'
}

sample()
{
    sleep 1
    perf record -q -e cpu-clock -F 499 --call-graph dwarf,16384 -o "$work/perf.data" -p "$server_pid" \
        -- sleep "$seconds" 2>"$work/perf.log"
}

verify_us=$(speed_us ecdsap256 verify) sign_us=$(speed_us ecdsap256 sign)
server_start caraway
load --clients 64 --seconds "$((seconds + 2))" || true
cpu_ms=$(result server_cpu_ms_per_issuance) requests=$(result requests_per_issuance)
sample &
sampler=$!
load --clients 64 --seconds "$((seconds + 2))" || true
wait "$sampler"
server_stop

perf script -i "$work/perf.data" --no-inline 2>/dev/null | awk -f "$root/bench/fold.awk" >"$work/folded"
sort "$work/folded" | awk -f "$root/bench/flame.awk" >"$out/flame.svg"

columns "Server CPU of one issuance, 64 clients, P-256: $cpu_ms ms" part "share %" ms "floor ms"
floors=$(printf 'requests %s\ncsr %s\nsign %s\n' "$(awk -v n="$requests" -v us="$verify_us" 'BEGIN { print n * us / 1000 }')" \
    "$(awk -v us="$verify_us" 'BEGIN { print us / 1000 }')" "$(awk -v us="$sign_us" 'BEGIN { print us / 1000 }')")
while IFS=$'\t' read -r share label floor; do
    row "$label" "$share" "$(awk -v s="$share" -v ms="$cpu_ms" 'BEGIN { printf "%.3f\n", s * ms / 100 }')" \
        "$(awk -v of="$floor" '$1 == of { printf "%.3f\n", $2; found = 1 } END { if (!found) print "-" }' <<<"$floors")"
done < <(awk -f "$root/bench/costs.awk" "$root/bench/costs.txt" "$work/folded")
note "openssl speed in the same minute: P-256 verify $verify_us µs, sign $sign_us µs; $requests requests an issuance"
note "the flame graph is build/bench/flame.svg"
