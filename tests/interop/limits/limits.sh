# shellcheck shell=bash disable=SC2154
# What the tests of this folder share: a server with Let's Encrypt's own numbers, a domain whose certificates are used
# up, and the moment that a refusal named. Sourced behind lib.sh.

limits_start()
{
    server_start --set limits.preset=letsencrypt "$@"
}

admin()
{
    "$bin/caraway" "$@" --data "$work/data"
}

# use_up DOMAIN: its 50 certificates of a week, by 50 names below it.
use_up()
{
    "$bin/caraway-client" load --directory "$directory" --ca-file "$ca" --http-port "$http_port" --clients 5 --count 50 \
        --suffix "$1" >load.log
    admin limit show "$1"
}

# words FILE TEXT: the client said so, however it broke the lines; the file is kept for people to read.
words()
{
    { printf '%s: ' "$2"; cat "$1"; echo; } >>"$work/words"
    tr -s '\n ' ' ' <"$1" | grep -qF "$2"
}

# come_again FILE: moves the server's clock to the second that the refusal in it named.
come_again()
{
    local moment
    moment=$(tr -s '\n ' ' ' <"$1" | grep -o 'retry after 20[0-9-]* [0-9:]* UTC' | tail -n 1 | sed 's/retry after //; s/ UTC/Z/; s/ /T/')
    admin clock set "$moment"
}
