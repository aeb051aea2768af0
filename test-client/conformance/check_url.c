#include "test-client/conformance/check.h"

#include <ctype.h>

static bool url_refused(struct cf *cf, const struct cf_jws *jws, const char *types)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, jws);
    return body != NULL && cf_post_body(cf, cf->first, cf->pending.url, body) && cf_refused(cf, 0, types);
}

static bool missing(struct cf *cf)
{
    return url_refused(cf, &(struct cf_jws) { .url = "" }, NULL);
}

static bool not_a_text(struct cf *cf)
{
    return url_refused(cf, &(struct cf_jws) { .url = "", .more = ",\"url\":[]" }, NULL);
}

static bool unprotected(struct cf *cf)
{
    const char *body = cf_sign(cf, cf->first, cf->pending.url, NULL, &(struct cf_jws) { .url = "" });
    TRY(body != NULL);
    body = cf_print(cf, "%.*s,\"header\":{\"url\":\"%s\"}}", (int)strlen(body) - 1, body, cf->pending.url);
    return cf_post_body(cf, cf->first, cf->pending.url, body) && cf_refused(cf, 0, NULL);
}

static bool of_another_resource(struct cf *cf)
{
    return url_refused(cf, &(struct cf_jws) { .url = cf_resource(cf, "newOrder") }, "unauthorized");
}

static bool of_another_order(struct cf *cf)
{
    return url_refused(cf, &(struct cf_jws) { .url = cf->issued.order.url }, "unauthorized");
}

static bool longer(struct cf *cf)
{
    const char *url = cf_print(cf, "%s%s", cf->pending.url, cf->check->text);
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

/* Where the path of a URL begins. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    return path != NULL ? path : url + strlen(url);
}

static bool other_host(struct cf *cf)
{
    const char *url = cf_print(cf, "https://elsewhere.example%s", path_of(cf->pending.url));
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

static bool other_scheme(struct cf *cf)
{
    const char *url = cf_print(cf, "http%s", cf->pending.url + strlen("https"));
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

static bool only_path(struct cf *cf)
{
    return url_refused(cf, &(struct cf_jws) { .url = path_of(cf->pending.url) }, "unauthorized");
}

static bool host_in_capitals(struct cf *cf)
{
    char *url = arena_text(cf->arena, cf->pending.url);
    CHECK(url != NULL);
    for (char *c = url + strlen("https://"); c < path_of(url); c++)
        *c = (char)toupper((unsigned char)*c);
    if (strcmp(url, cf->pending.url) == 0)
        return cf_skip(cf, "the server's address has no letters");
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

static bool detour(struct cf *cf)
{
    const char *path = path_of(cf->pending.url);
    const char *url = cf_print(cf, "%.*s/.%s", (int)(path - cf->pending.url), cf->pending.url, path);
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

static bool escaped(struct cf *cf)
{
    size_t len = strlen(cf->pending.url);
    const char *url = cf_print(cf, "%.*s%%%02X", (int)len - 1, cf->pending.url, (unsigned)cf->pending.url[len - 1]);
    return url_refused(cf, &(struct cf_jws) { .url = url }, "unauthorized");
}

static const struct cf_check url_checks[] = {
    { "6.4.missing", "[8555-6.2-12]", "A protected header without url is refused.", missing, CF_PENDING },
    { "6.4.another-resource", "[8555-6.4-1] [8555-6.4-2]", "The url of another resource is unauthorized.",
      of_another_resource, CF_PENDING },
    { "6.4.another-order", "[8555-6.4-1] [8555-6.4-2]", "The url of another order is unauthorized.", of_another_order,
      CF_PENDING | CF_ISSUED },
    { "6.4.another-host", "[8555-6.4-2]", "The same path on another host is unauthorized.", other_host, CF_PENDING },
    { "6.4.another-scheme", "[8555-6.4-2]", "The same url with http is unauthorized.", other_scheme, CF_PENDING },
    { "6.4.only-path", "[8555-6.4-2]", "A url without scheme and host is unauthorized.", only_path, CF_PENDING },
    { "6.4.slash-behind", "[8555-6.4-4]", "The url with a slash behind it is unauthorized.", longer, CF_PENDING,
      .text = "/" },
    { "6.4.query-behind", "[8555-6.4-4]", "The url with an empty query behind it is unauthorized.", longer, CF_PENDING,
      .text = "?" },
    { "6.4.fragment-behind", "[8555-6.4-4]", "The url with a fragment behind it is unauthorized.", longer, CF_PENDING,
      .text = "#a" },
    { "6.4.capitals", "[8555-6.4-3] [8555-6.4-4]", "The url with its host in capitals is unauthorized.",
      host_in_capitals, CF_PENDING },
    { "6.4.detour", "[8555-6.4-3] [8555-6.4-4]", "The url with /./ in its path is unauthorized.", detour, CF_PENDING },
    { "6.4.escaped", "[8555-6.4-3] [8555-6.4-4]", "The url with its last character percent-encoded is unauthorized.",
      escaped, CF_PENDING },
    { "6.4.1.not-a-text", "[8555-6.4.1-2]", "A url that is no text is refused.", not_a_text, CF_PENDING },
    { "6.4.1.unprotected", "[8555-6.4.1-1]", "A url in the unprotected header does not count.", unprotected,
      CF_PENDING },
};

CF_GROUP(url, "RFC 8555", "6.4", "the url of the protected header");
