#include "server/screen.h"

/* One line to paste: certbot with this server, trusting the authority behind its HTTPS. */
static void write_example(const struct caraway *caraway, const struct screen *screen, const char *data, struct buf *out)
{
    const struct settings *settings = caraway->settings;
    bool laboratory = settings->dns_hosts.count > 0;
    buf_printf(out, "Try it:\n  REQUESTS_CA_BUNDLE=%s/tls/ca.pem certbot certonly --standalone", data);
    if (settings->validation_http_port != 80)
        buf_printf(out, " --http-01-port %lld", (long long)settings->validation_http_port);
    buf_printf(out,
               " --server %s/directory -d %s --agree-tos --register-unsafely-without-email"
               " --config-dir certbot --work-dir certbot --logs-dir certbot\n\n",
               screen->url, laboratory ? "www.example.test" : "YOUR.NAME");
}

void screen_write(const struct caraway *caraway, const struct screen *screen, struct buf *out)
{
    const struct settings *settings = caraway->settings;
    AUTO_TYPE(char) full = realpath(settings->data, NULL);
    const char *data = full != NULL ? full : settings->data;
    buf_printf(out, "Caraway " CARAWAY_VERSION " (%s)\n\n", settings->preset);
    buf_printf(out, "  directory   %s/directory\n", screen->url);
    buf_printf(out, "  root        %s/ca/root.pem   (what issued certificates lead to)\n", data);
    buf_printf(out, "  HTTPS CA    %s/tls/ca.pem   (what ACME clients must trust)\n", data);
    buf_printf(out, "  validation  http-01 on port %lld, tls-alpn-01 on port %lld, dns-01 by %s\n",
               (long long)settings->validation_http_port, (long long)settings->validation_tls_port,
               settings->dns_server[0] != '\0' ? settings->dns_server : "the system's resolver");
    if (screen->management != NULL)
        buf_printf(out, "  management  %s\n", screen->management);
    buf_char(out, '\n');
    write_example(caraway, screen, data, out);
    buf_printf(out, "Listening on: %s\n", screen->listening);
}
