#!/bin/bash
# certbot --nginx: it finds the site in nginx's configuration, proves it through nginx, installs the certificate there
# and reloads; afterwards the site is up on HTTPS.
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../lib.sh"
client "certbot --nginx" "$(certbot --version 2>&1 | awk '{ print $2 }')" certbot nginx

server_start
export REQUESTS_CA_BUNDLE=$ca
https_port=
free_port https_port
site=shop.example.test
printf '#!/bin/sh\nexec nginx -p "%s" -e "%s/nginx/error.log" "$@"\n' "$work" "$work" >nginx-here
chmod +x nginx-here
mkdir www
echo "hello from $site" >www/index.html
nginx_start "server { listen 127.0.0.1:$http_port; server_name $site www.$site; root $work/www; }"

acme()
{
    certbot "$@" -n --agree-tos -m admin@example.test --server "$directory" \
        --http-01-port "$http_port" --https-port "$https_port" --nginx-server-root "$work/nginx" \
        --nginx-ctl "$work/nginx-here" --config-dir conf --work-dir w --logs-dir logs
}

install()
{
    acme run --nginx --redirect -d "$site" -d "www.$site"
    check_chain "conf/live/$site/fullchain.pem" "$site" "www.$site"
    await served "$site" "$https_port"
    [ "$(served "$site" "$https_port")" = "hello from $site" ]
    served_chain "www.$site" "$https_port" >served.pem
    check_chain served.pem "$site" "www.$site"
}

renewed_is_served()
{
    served_chain "$site" "$https_port" >now.pem
    [ "$(serial_of now.pem)" = "$(serial_of "conf/live/$site/cert.pem")" ] && [ "$(serial_of now.pem)" != "$1" ]
}

renewal()
{
    local before
    before=$(serial_of "conf/live/$site/cert.pem")
    acme renew --force-renewal --no-random-sleep-on-renew
    await renewed_is_served "$before"
    [ "$(served "$site" "$https_port")" = "hello from $site" ]
}

try "http-01 through nginx; nginx serves HTTPS" install
try "renewal; nginx serves the new one" renewal
