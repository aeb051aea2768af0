#!/bin/bash
# lego meets the same limits.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/interop/limits/limits.sh
. "$(dirname "$0")/limits.sh"
client lego "$(package_version lego)" lego

limits_start
export LEGO_CA_CERTIFICATES=$ca

acme()
{
    lego -s "$directory" -a -m admin@example.test --path lego --http --http.port ":$http_port" "$@"
}

# refused ARGUMENT...: it fails, and ./said is what it printed.
refused()
{
    if acme "$@" >said 2>&1; then return 1; fi
}

exact_set()
{
    local before
    for _ in 1 2 3 4 5; do acme -d set.test -d www.set.test run; done
    before=$(serial_of lego/certificates/set.test.crt)
    refused -d set.test -d www.set.test run
    words said 'too many certificates (5) already issued for this exact set of identifiers (set.test, www.set.test)'
    refused -d set.test -d www.set.test renew --days 100 --no-random-sleep
    words said 'too many certificates (5)'
    [ "$before" = "$(serial_of lego/certificates/set.test.crt)" ]
}

per_domain()
{
    use_up shop.test
    refused -d new.shop.test run
    words said 'too many certificates (50) already issued for "shop.test"'
    [ ! -e lego/certificates/new.shop.test.crt ]
}

after_the_second()
{
    come_again said
    acme -d new.shop.test run
    [ -s lego/certificates/new.shop.test.crt ]
}

try "exact set: the sixth" exact_set
try "registered domain: the 51st" per_domain
try "at the second that was named" after_the_second
