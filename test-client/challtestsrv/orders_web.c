/* Orders about http-01, redirects and tls-alpn-01. */
#include "test-client/challtestsrv/order.h"

bool cts_add_http01(struct cts_order *order)
{
    const char *token, *content;
    TRY(cts_text_member(order, order->body, "token", &token) &&
        cts_text_member(order, order->body, "content", &content));
    if (http01_put(order->answers->http, token, content))
        return true;
    return cts_refuse(order, "there is no room for another answer");
}

bool cts_del_http01(struct cts_order *order)
{
    const char *token;
    TRY(cts_text_member(order, order->body, "token", &token));
    http01_remove(order->answers->http, token);
    return true;
}

/* It goes into a header as it is. */
static bool is_location(const char *url)
{
    for (const char *at = url; *at != '\0'; at++)
        TRY(*at > ' ' && *at < 0x7f);
    return strlen(url) <= HTTP_LOCATION_MAX;
}

bool cts_add_redirect(struct cts_order *order)
{
    const char *path, *url;
    TRY(cts_text_member(order, order->body, "path", &path) && cts_text_member(order, order->body, "targetURL", &url));
    if (!is_location(url))
        return cts_refuse(order, "\"targetURL\" must be %d visible ASCII characters at most", HTTP_LOCATION_MAX);
    AUTO_TYPE(char) copy = strdup(url);
    if (copy == NULL || !text_map_put(order->answers->redirects, bytes_text(path), copy))
        return cts_refuse(order, "there is no room for another redirect");
    copy = NULL;
    return true;
}

bool cts_del_redirect(struct cts_order *order)
{
    const char *path;
    TRY(cts_text_member(order, order->body, "path", &path));
    text_map_remove(order->answers->redirects, bytes_text(path));
    return true;
}

bool cts_add_tlsalpn01(struct cts_order *order)
{
    const char *host, *content;
    TRY(cts_text_member(order, order->body, "host", &host) && cts_text_member(order, order->body, "content", &content));
    if (tls_alpn01_put(order->answers->tls, host, content))
        return true;
    return cts_refuse(order, "\"host\" is no DNS name and no IP address, or there is no room for another answer");
}

bool cts_del_tlsalpn01(struct cts_order *order)
{
    const char *host;
    TRY(cts_text_member(order, order->body, "host", &host));
    tls_alpn01_remove(order->answers->tls, host);
    return true;
}
