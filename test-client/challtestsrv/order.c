#include "test-client/challtestsrv/order.h"

#include <stdio.h>
#include <strings.h>

bool cts_refuse(struct cts_order *order, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(order->why, sizeof order->why, format, args);
    va_end(args);
    return false;
}

json_t *cts_member(json_t *object, const char *name)
{
    const char *key;
    json_t *value, *found = NULL;
    json_object_foreach (object, key, value) {
        if (strcasecmp(key, name) == 0)
            found = value;
    }
    return found;
}

bool cts_text_member(struct cts_order *order, json_t *object, const char *name, const char **out)
{
    const char *text = json_string_value(cts_member(object, name));
    if (text == NULL || *text == '\0')
        return cts_refuse(order, "\"%s\" must be a text that is not empty", name);
    *out = text;
    return true;
}

bool cts_name_member(struct cts_order *order, json_t *object, const char *name, const char **out)
{
    char canonical[DNS_NAME_SIZE];
    const char *text;
    TRY(cts_text_member(order, object, name, &text));
    if (!dns_name_canonical(text, canonical))
        return cts_refuse(order, "\"%s\" is no DNS name: \"%.200s\"", name, text);
    *out = text;
    return true;
}

bool cts_host_member(struct cts_order *order, const char **out)
{
    const char *host;
    TRY(cts_name_member(order, order->body, "host", &host));
    if (strcmp(host, ".") == 0)
        return cts_refuse(order, "\"host\" is no DNS name: \"%.200s\"", host);
    *out = host;
    return true;
}

bool cts_list_member(struct cts_order *order, const char *name, json_t **out)
{
    json_t *list = cts_member(order->body, name);
    if (json_array_size(list) == 0 || json_array_size(list) > CTS_LIST_MAX)
        return cts_refuse(order, "\"%s\" must be a list of 1 to %d", name, CTS_LIST_MAX);
    *out = list;
    return true;
}

bool cts_number_member(struct cts_order *order, json_t *object, const char *name, int64_t otherwise, int64_t max,
                       int64_t *out)
{
    const json_t *number = cts_member(object, name);
    bool missing = number == NULL && otherwise >= 0;
    int64_t value = missing ? otherwise : json_integer_value(number);
    if ((!missing && !json_is_integer(number)) || value < 0 || value > max)
        return cts_refuse(order, "\"%s\" must be a number from 0 to %lld", name, (long long)max);
    *out = value;
    return true;
}
