#include "server/web/endpoint.h"
#include "server/web/forwarded.h"

/* Three lines: Forwarded or X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host. */
static void resolve(struct arena *arena, const char *list, const char *proto, const char *host, bool rfc)
{
    const char *proxies[] = { "10.0.0.0/8", "::1" };
    const struct settings settings = { .trusted_proxies = { proxies, ARRAY_SIZE(proxies) } };
    struct forwarded_headers headers = {
        .forwarded = rfc ? list : NULL, .x_for = list, .x_proto = proto, .x_host = host, .host = host
    };
    struct forwarded forwarded = { .peer = "10.0.0.1", .proto = "http" };
    if (!forwarded_resolve(arena, &settings, &headers, &forwarded))
        return;
    CHECK(ip_address_ok(forwarded.peer));
    CHECK(strcmp(forwarded.proto, "http") == 0 || strcmp(forwarded.proto, "https") == 0);
    CHECK(forwarded.host == NULL || strpbrk(forwarded.host, "/@?#\" \t<>\\") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) arena = arena_create(1 << 20);
    char *text = arena_text_of(arena, bytes_of(data, size));
    if (text == NULL)
        return 0;
    const char *list = strsep(&text, "\n");
    const char *proto = text != NULL ? strsep(&text, "\n") : NULL;
    resolve(arena, list, proto, text, true);
    resolve(arena, list, proto, text, false);
    return 0;
}
