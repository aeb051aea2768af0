/* draft-ietf-acme-profiles. */
#include "test-client/conformance/check.h"

static json_t *profiles(struct cf *cf)
{
    return json_object_get(cf->meta, "profiles");
}

static bool listed(struct cf *cf)
{
    const char *name;
    json_t *value;
    if (!json_is_object(profiles(cf)) || json_object_size(profiles(cf)) == 0)
        return cf_fail(cf, "meta.profiles is no object with members");
    json_object_foreach (profiles(cf), name, value) {
        if (!json_is_string(value))
            return cf_fail(cf, "the description of profile \"%.100s\" is no text", name);
    }
    return true;
}

static const char *with(struct cf *cf, const char *name)
{
    return cf_print(cf, ",\"profile\":\"%s\"", name);
}

static bool shows(struct cf *cf, const char *name)
{
    const char *is = cf_member(cf, "profile");
    return (is != NULL && strcmp(is, name) == 0) || cf_fail(cf, "the order has not the profile \"%.100s\"", name);
}

static bool each_ordered(struct cf *cf)
{
    const char *name;
    json_t *value;
    json_object_foreach (profiles(cf), name, value) {
        struct cf_order order;
        TRY(cf_order_names(cf, cf->first, (const char *const[]) { cf_name(cf), NULL }, with(cf, name), &order));
        TRY(shows(cf, name) && cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200) && shows(cf, name));
    }
    return true;
}

static bool each_issued(struct cf *cf)
{
    const char *name;
    json_t *value;
    json_object_foreach (profiles(cf), name, value) {
        struct cf_certificate issued;
        TRY(cf_issue(cf, cf->first, (const char *const[]) { cf_name(cf), NULL }, with(cf, name), &issued));
        TRY(cf_call(cf, cf->first, issued.order.url, NULL) && cf_expect(cf, 200) && shows(cf, name));
    }
    return true;
}

static bool refused(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"),
                   cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, cf->check->text)) &&
           cf_refused(cf, 0, cf->check->arg != 0 ? "invalidProfile|malformed" : "invalidProfile");
}

/* A profile's name with its first letter in the other case. */
static bool other_case(struct cf *cf)
{
    const char *first = json_object_iter_key(json_object_iter(profiles(cf)));
    TRY(first != NULL || cf_fail(cf, "meta.profiles has no members"));
    char *name = arena_text(cf->arena, first);
    CHECK(name != NULL);
    name[0] ^= 0x20;
    if (json_object_get(profiles(cf), name) != NULL)
        return cf_skip(cf, "there is such a profile too");
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"),
                   cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, with(cf, name))) &&
           cf_refused(cf, 0, "invalidProfile");
}

static bool chosen_by_server(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_order(cf, cf->first, &order));
    const char *name = cf_member(cf, "profile");
    if (name == NULL)
        return cf_fail(cf, "the order does not say which profile it got");
    return json_object_get(profiles(cf), name) != NULL ||
           cf_fail(cf, "the order's profile \"%.100s\" is not listed", name);
}

static bool chosen_stays(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_order(cf, cf->first, &order));
    const char *name = cf_member(cf, "profile");
    TRY(name != NULL || cf_skip(cf, "the order does not say which profile it got"));
    name = cf_print(cf, "%s", name);
    return cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200) && shows(cf, name) &&
           cf_authorize(cf, &order) && cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200) && shows(cf, name);
}

#define PROFILES (CF_FIRST | CF_PROFILES)

static const struct cf_check profile_checks[] = {
    { "profiles/3.listed", "[profiles-3-1] [profiles-3-2]", "meta.profiles has a description for each profile.", listed,
      CF_PROFILES },
    { "profiles/4.each-ordered", "[profiles-4-3]", "Each of them can be ordered, and the order says so.", each_ordered,
      PROFILES },
    { "profiles/4.each-issued", "[profiles-4-3]", "Each of them can be issued.", each_issued, PROFILES },
    { "profiles/4.unknown", "[profiles-4-1]", "A profile that is not listed is answered invalidProfile.", refused,
      PROFILES, .text = ",\"profile\":\"no-such-profile\"" },
    { "profiles/4.empty", "[profiles-4-1]", "An empty name is answered invalidProfile.", refused, PROFILES, 1,
      ",\"profile\":\"\"" },
    { "profiles/4.no-text", "[profiles-4-1]", "A profile that is a number is refused.", refused, PROFILES, 1,
      ",\"profile\":3" },
    { "profiles/4.other-case", "[profiles-4-1]", "A profile's name in other letters is answered invalidProfile.",
      other_case, PROFILES },
    { "profiles/4.chosen", "[profiles-4-4]", "An order that names no profile should say which it got.",
      chosen_by_server, PROFILES },
    { "profiles/4.stays", "[profiles-4-4]", "That profile stays the order's.", chosen_stays, PROFILES },
};

CF_GROUP(profile, "draft-ietf-acme-profiles", "3-4", "profiles");
