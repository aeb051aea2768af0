#include "server/protocol/profile.h"

#include "server/caraway.h"
#include "server/web/payload.h"

#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

const struct profile profiles[] = {
    { "classic", "For every client: ca.lifetime (90 days unless set otherwise), common name, up to 100 names.", 0, 0,
      0 },
    { "tlsserver", "For TLS servers: 45 days, names only in the subject alternative name, up to 25 of them.",
      45 * DAY_MS, 25, CA_WITHOUT_COMMON_NAME | CA_WITHOUT_KEY_ENCIPHERMENT | CA_WITHOUT_SUBJECT_KEY_ID },
    { "shortlived", "As tlsserver, for 160 hours: it ends before a revocation would be noticed.", 160 * HOUR_MS, 25,
      CA_WITHOUT_COMMON_NAME | CA_WITHOUT_KEY_ENCIPHERMENT | CA_WITHOUT_SUBJECT_KEY_ID },
};
const size_t profile_count = ARRAY_SIZE(profiles);

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < profile_count; i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    return NULL;
}

bool profile_read(struct request *rq, const struct profile **out)
{
    const char *name = rq->caraway->settings->profile_default;
    TRY(payload_text(rq, "profile", &name));
    *out = profile_find(name);
    return *out != NULL ||
           problem_fail(&rq->problem, PROBLEM_INVALID_PROFILE,
                        "There is no profile \"%.100s\"; the directory's meta.profiles lists them", name);
}

int64_t profile_lifetime_ms(const struct profile *profile, const struct settings *settings)
{
    return profile->lifetime_ms != 0 && profile->lifetime_ms < settings->ca_lifetime_ms ? profile->lifetime_ms
                                                                                        : settings->ca_lifetime_ms;
}
