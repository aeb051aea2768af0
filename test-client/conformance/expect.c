/* Expectations of the last answer. */
#include "test-client/conformance/inside.h"

#include "base/text.h"

#include <stdio.h>
#include <strings.h>

#define ERROR_PREFIX "urn:ietf:params:acme:error:"

enum { WORDS_MAX = 200 };

/* RFC 8555 §6.7 and the registrations of RFC 9773 and the profiles draft. */
static const char *const registered[] = {
#define X(name, text, status) text,
    ACME_PROBLEM_TABLE(X)
#undef X
        "incorrectResponse",
    "compound",
    "autoRenewalCanceled",
    "autoRenewalExpired",
    "autoRenewalCancellationInvalid",
    "autoRenewalRevocationNotSupported",
    "unknownDelegation",
    "onionCAARequired",
};

bool cf_expect(struct cf *cf, int status)
{
    if (cf->answer->status == status)
        return true;
    return cf_fail(cf, "the HTTP status is %d instead of %d", cf->answer->status, status);
}

static const char *short_type(const char *type)
{
    return strncmp(type, ERROR_PREFIX, strlen(ERROR_PREFIX)) == 0 ? type + strlen(ERROR_PREFIX) : type;
}

/* Whether one of the words of "a|b|c" is it. */
static bool is_one_of(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; at != NULL; at = strchr(at, '|') != NULL ? strchr(at, '|') + 1 : NULL) {
        if (strncmp(at, word, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool is_registered(const char *type)
{
    return text_is_among(registered, ARRAY_SIZE(registered), type);
}

static bool is_identifier(const json_t *identifier)
{
    return json_member_text(identifier, "type") != NULL && json_member_text(identifier, "value") != NULL;
}

static bool check_subproblems(struct cf *cf, const json_t *list)
{
    size_t i;
    json_t *subproblem;
    json_array_foreach (list, i, subproblem) {
        const json_t *identifier = json_object_get(subproblem, "identifier");
        if (json_member_text(subproblem, "type") == NULL || (identifier != NULL && !is_identifier(identifier)))
            return cf_fail(cf, "subproblem %zu is not well formed", i);
    }
    return true;
}

bool cf_is_problem(struct cf *cf)
{
    TRY(cf_media_type(cf, "application/problem+json"));
    if (cf->body == NULL)
        return cf_fail(cf, "the problem document is no JSON object");
    const char *type = cf_member(cf, "type");
    if (type == NULL)
        return cf_fail(cf, "the problem document has no \"type\"");
    if (short_type(type) != type && !is_registered(short_type(type)))
        return cf_fail(cf, "the problem type %.100s is not registered", type);
    const json_t *status = json_object_get(cf->body, "status");
    if (status != NULL && json_integer_value(status) != cf->answer->status)
        return cf_fail(cf, "the problem's \"status\" is not the HTTP status");
    if (json_object_get(cf->body, "identifier") != NULL)
        return cf_fail(cf, "the problem has an \"identifier\", which only subproblems may have");
    return check_subproblems(cf, json_object_get(cf->body, "subproblems"));
}

bool cf_refused(struct cf *cf, int status, const char *types)
{
    int is = cf->answer->status;
    if (is < 400)
        return cf_fail(cf, "this is accepted (HTTP status %d)%s%.*s", is,
                       types != NULL ? " instead of refused with " : "", WORDS_MAX, types != NULL ? types : "");
    if (is >= 500)
        return cf_fail(cf, "this makes the server fail (HTTP status %d)", is);
    if (status != 0)
        TRY(cf_expect(cf, status));
    TRY(cf_is_problem(cf));
    const char *type = short_type(cf_member(cf, "type"));
    if (types == NULL || is_one_of(types, type))
        return true;
    return cf_fail(cf, "the problem type is %.100s instead of %.200s", type, types);
}

bool cf_has_header(struct cf *cf, const char *name, const char **out)
{
    *out = cf_header(cf, name);
    return *out != NULL || cf_fail(cf, "the answer has no %s header", name);
}

bool cf_media_type(struct cf *cf, const char *type)
{
    const char *value;
    TRY(cf_has_header(cf, "Content-Type", &value));
    size_t len = strlen(type);
    if (strncasecmp(value, type, len) == 0 && (value[len] == '\0' || value[len] == ';' || value[len] == ' '))
        return true;
    return cf_fail(cf, "the Content-Type is \"%.100s\" instead of \"%s\"", value, type);
}

bool cf_has_text(struct cf *cf, const char *member, const char **out)
{
    *out = cf_member(cf, member);
    if (*out == NULL)
        return cf_fail(cf, "the answer has no text \"%s\"", member);
    *out = cf_print(cf, "%s", *out);
    return true;
}

bool cf_is_url(const char *text)
{
    return text != NULL && (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0) && text[8] != '\0';
}

bool cf_is_b64(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return text != NULL && *text != '\0' && text[strspn(text, alphabet)] == '\0';
}
