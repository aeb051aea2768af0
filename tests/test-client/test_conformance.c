/* The tables of the conformance suite, and its reports. */
#include "test-client/conformance/inside.h"
#include "test-client/file.h"
#include "tests/unit.h"

#include <unistd.h>

enum { IDS_MAX = 2000 };

static void each_id_is_unique(void **state)
{
    (void)state;
    const char *ids[IDS_MAX];
    size_t count = 0;
    for (const struct cf_group *const *group = cf_groups; *group != NULL; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            for (size_t k = 0; k < count; k++)
                assert_string_not_equal((*group)->checks[i].id, ids[k]);
            assert_true(count < IDS_MAX);
            ids[count++] = (*group)->checks[i].id;
        }
    }
    assert_true(count >= 210);
}

/* "6.5.name" or "9773/4.1.name": where the specification is not RFC 8555, it stands in front. */
static void check_id(const struct cf_group *group, const char *id)
{
    const char *slash = strchr(id, '/');
    const char *section = slash != NULL ? slash + 1 : id;
    assert_true((slash == NULL) == (strcmp(group->spec, "RFC 8555") == 0));
    assert_true(section[0] >= '0' && section[0] <= '9');
    assert_non_null(strrchr(section, '.'));
    assert_true(strrchr(section, '.')[1] != '\0');
}

static void each_row_is_whole(void **state)
{
    (void)state;
    for (const struct cf_group *const *group = cf_groups; *group != NULL; group++) {
        assert_true((*group)->count > 0);
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct cf_check *check = &(*group)->checks[i];
            check_id(*group, check->id);
            assert_non_null(check->run);
            assert_true(strlen(check->what) > 10 && check->what[strlen(check->what) - 1] == '.');
            assert_true(check->requirements[0] == '\0' || check->requirements[0] == '[');
        }
    }
}

static const struct cf_check sample_checks[] = {
    { "6.5.good", "", "It is good.", NULL },
    { "6.5.bad", "", "It is \"bad\" & <worse>.", NULL },
    { "6.5.missing", "", "It is not there.", NULL },
};
static const struct cf_group sample_group = { "RFC 8555", "6.5", "nonces", sample_checks, 3 };
static const struct cf_result sample_results[] = {
    { &sample_group, &sample_checks[0], CF_PASSED, 1, NULL, NULL },
    { &sample_group, &sample_checks[1], CF_FAILED, 20, "a < b", "    > GET \"x\" & y\n" },
    { &sample_group, &sample_checks[2], CF_NOT_OFFERED, 0, "none", NULL },
};

static void written(bool junit, struct buf *out)
{
    char path[] = "/tmp/test_conformance.XXXXXX", why[TC_WHY_SIZE];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct cf_settings settings = { .directory_url = "https://ca.example/dir", .json = path, .junit = path };
    struct cf cf = { .settings = &settings };
    assert_true(junit ? cf_report_junit(&cf, sample_results, 3, why) : cf_report_json(&cf, sample_results, 3, why));
    assert_true(tc_file_read(path, out, why));
    unlink(path);
}

static void json_tells_each_check(void **state)
{
    (void)state;
    AUTO_BUF(text, 1 << 20);
    char why[JSON_WHY_SIZE];
    written(false, &text);
    AUTO_TYPE(json_t) object = json_read_object(buf_bytes(&text), why);
    const json_t *list = json_object_get(object, "checks");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_member_text(json_array_get(list, 0), "section"), "RFC 8555 §6.5");
    assert_string_equal(json_member_text(json_array_get(list, 0), "outcome"), "pass");
    assert_string_equal(json_member_text(json_array_get(list, 1), "why"), "a < b");
    assert_string_equal(json_member_text(json_array_get(list, 2), "outcome"), "not offered");
}

static void junit_counts_and_escapes(void **state)
{
    (void)state;
    AUTO_BUF(text, 1 << 20);
    written(true, &text);
    assert_non_null(strstr(buf_str(&text), "tests=\"3\" failures=\"1\" skipped=\"1\""));
    assert_non_null(
        strstr(buf_str(&text), "<failure message=\"a &lt; b\">    &gt; GET &quot;x&quot; &amp; y\n</failure>"));
    assert_non_null(strstr(buf_str(&text), "<skipped message=\"none\">"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_id_is_unique),
        cmocka_unit_test(each_row_is_whole),
        cmocka_unit_test(json_tells_each_check),
        cmocka_unit_test(junit_counts_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
