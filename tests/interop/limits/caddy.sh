#!/bin/bash
# Caddy meets the same limits by itself: a container without a volume that is started again and again, and a new site
# below a domain that is used up.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/interop/limits/limits.sh
. "$(dirname "$0")/limits.sh"
client Caddy "$(caddy version 2>/dev/null | awk '{ print $1 }')" caddy

limits_start

# caddy_run SITE HOME: in the background, with $caddy_pid; HOME is where it keeps what it has.
caddy_run()
{
    cat >Caddyfile <<END
{
    admin off
    acme_ca $directory
    acme_ca_root $ca
    email admin@example.test
    http_port $http_port
    https_port $tls_port
    default_bind 127.0.0.1
}
$1 {
    respond "hello from {host}"
}
END
    mkdir -p "$2"
    XDG_DATA_HOME=$2 XDG_CONFIG_HOME=$2 caddy run --config Caddyfile >caddy.log 2>&1 &
    caddy_pid=$!
    trap caddy_stop EXIT
}

caddy_stop()
{
    trap - EXIT
    kill "$caddy_pid"
    wait "$caddy_pid" || true
}

caddy_is_refused()
{
    grep -q rateLimited caddy.log
}

exact_set()
{
    for turn in 1 2 3 4 5; do
        caddy_run set.test "$work/container-$turn"
        await served set.test "$tls_port"
        caddy_stop
    done
    caddy_run set.test "$work/container-6"
    await caddy_is_refused
    caddy_stop
    words caddy.log 'too many certificates (5) already issued for this exact set of identifiers (set.test)'
    words caddy.log 'will retry'
}

# It stays up and asks again after a minute; this test does not wait for that, but starts it anew.
per_domain()
{
    use_up shop.test
    caddy_run new.shop.test "$work/kept"
    await caddy_is_refused
    words caddy.log 'too many certificates (50) already issued for '
    words caddy.log 'will retry'
    kill -0 "$caddy_pid"
    caddy_stop
}

kept_certificate()
{
    find kept -name new.shop.test.crt | grep -q .
}

after_the_second()
{
    come_again caddy.log
    caddy_run new.shop.test "$work/kept"
    await kept_certificate
    caddy_stop
}

try "exact set: the sixth container" exact_set
try "registered domain: the 51st" per_domain
try "at the second that was named" after_the_second
