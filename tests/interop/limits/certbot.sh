#!/bin/bash
# certbot meets the limits that people meet: the sixth certificate of the same names, the 51st of a domain. Debian 12's,
# and the newest release where PyPI can be reached.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/interop/limits/limits.sh
. "$(dirname "$0")/limits.sh"

program=certbot
acme()
{
    "$program" "$@" -n --agree-tos -m admin@example.test --server "$directory" --http-01-port "$http_port" \
        --config-dir conf --work-dir w --logs-dir logs
}

# refused COMMAND...: it fails, and ./said is what it printed. That of Debian 12 breaks down over any refusal (certbot
# #9539) and prints no more than "AttributeError: can't set attribute"; the refusal stands in its log.
refused()
{
    if acme "$@" >said 2>&1; then return 1; fi
    ! grep -q "can't set attribute" said || cp logs/letsencrypt.log said
}

# An impatient operator who starts over; a renewal is no way out, one more name is.
exact_set()
{
    local before
    for _ in 1 2 3 4 5; do acme certonly --standalone --force-renewal -d "$set.test" -d "www.$set.test"; done
    before=$(serial_of "conf/live/$set.test/cert.pem")
    refused certonly --standalone --force-renewal -d "$set.test" -d "www.$set.test"
    words said "too many certificates (5) already issued for this exact set of identifiers ($set.test, www.$set.test)"
    refused renew --force-renewal --no-random-sleep-on-renew
    words said 'too many certificates (5)'
    [ "$before" = "$(serial_of "conf/live/$set.test/cert.pem")" ]
    acme certonly --standalone -d "$set.test" -d "www.$set.test" -d "more.$set.test" --cert-name more
}

per_domain()
{
    use_up "$shop.test"
    refused certonly --standalone -d "new.$shop.test"
    words said "too many certificates (50) already issued for \"$shop.test\""
    [ ! -e "conf/live/new.$shop.test" ]
}

after_the_second()
{
    come_again said
    acme certonly --standalone -d "new.$shop.test"
    [ -s "conf/live/new.$shop.test/cert.pem" ]
    admin clock reset
}

meet()
{
    client certbot "$("$program" --version 2>&1 | awk '{ print $2 }')" "$program"
    set=set-$1 shop=shop-$1
    rm -rf conf
    try "exact set: the sixth" exact_set
    try "registered domain: the 51st" per_domain
    try "at the second that was named" after_the_second
}

limits_start
export REQUESTS_CA_BUNDLE=$ca
meet debian
if python3 -m venv venv && env -u REQUESTS_CA_BUNDLE venv/bin/pip -q install certbot >pip.log 2>&1; then
    program=$work/venv/bin/certbot
    meet newest
fi
