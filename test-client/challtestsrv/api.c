#include "test-client/challtestsrv/api.h"

#include "test-client/challtestsrv/order.h"

enum group { GROUP_ANY, GROUP_DNS, GROUP_HTTP, GROUP_TLS };

static const struct endpoint {
    const char *path;
    enum group group;
    bool (*carry_out)(struct cts_order *order);
    int about;
    const char *members;
} endpoints[] = {
#define X(path, group, function, about, members) { path, GROUP_##group, cts_##function, about, members },
    CTS_ENDPOINT_TABLE(X)
#undef X
};

static bool takes_body(const struct endpoint *endpoint)
{
    return endpoint->members[0] != '(';
}

static const struct endpoint *find_endpoint(const struct cts_answers *answers, struct bytes path)
{
    const bool on[] = {
        [GROUP_ANY] = true,
        [GROUP_DNS] = answers->zone != NULL,
        [GROUP_HTTP] = answers->http != NULL,
        [GROUP_TLS] = answers->tls != NULL,
    };
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        if (bytes_equal_text(path, endpoints[i].path) && on[endpoints[i].group])
            return &endpoints[i];
    }
    return NULL;
}

static void say(struct http_response *response, int status, const char *why)
{
    buf_clear(response->body);
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    buf_printf(response->body, "%s\n", why);
}

void cts_api_answer(void *owner, const struct http_request *request, struct http_response *response)
{
    struct cts_answers *answers = owner;
    const struct endpoint *endpoint = find_endpoint(answers, request->path);
    if (endpoint == NULL) {
        say(response, 404, "no such path, or the server it is for is switched off");
        return;
    }
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) body = takes_body(endpoint) ? json_read_object(request->body, why) : NULL;
    if (body == NULL && takes_body(endpoint)) {
        say(response, 400, request->body.len == 0 ? "the body is empty; a JSON object is expected" : why);
        return;
    }
    struct cts_order order = { .answers = answers, .about = endpoint->about, .body = body, .response = response };
    if (!endpoint->carry_out(&order))
        say(response, 400, order.why);
}

void cts_api_help(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++)
        buf_printf(out, "  %-26s %s\n", endpoints[i].path, endpoints[i].members);
}
