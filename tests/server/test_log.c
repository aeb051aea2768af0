#include "server/log.h"

#include "base/json.h"
#include "tests/unit.h"

#include <pthread.h>
#include <unistd.h>

struct fixture {
    struct world_manual clock;
    struct world world;
    struct log *log;
    int read_fd, write_fd;
};

static void open_log(struct fixture *f, enum log_level level, enum log_format format)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    f->read_fd = ends[0];
    f->write_fd = ends[1];
    f->world = world_manual(&f->clock, INT64_C(1764766698123)); /* 2025-12-03T12:58:18.123Z */
    f->log = log_open(ends[1], level, format, &f->world);
    assert_non_null(f->log);
}

/* Everything that was logged; closes the log. */
static void close_log(struct fixture *f, struct buf *out)
{
    log_drop(f->log);
    close(f->write_fd);
    char block[4096];
    for (ssize_t got; (got = read(f->read_fd, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
    close(f->read_fd);
}

static void text_lines_are_aligned(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 65536);
    open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("method", "POST"), LOG_INT("status", 201), LOG_BOOL("kept", true));
    log_event(f.log, LOG_STORE_FAILED, LOG_TEXT("why", "disk \"full\""), LOG_TEXT("left_out", NULL));
    log_event(f.log, LOG_SERVER_STOPPED);
    close_log(&f, &out);
    assert_string_equal(buf_str(&out), "12:58:18.123Z info    request.refused      method=POST status=201 kept=yes\n"
                                       "12:58:18.123Z error   store.failed         why=\"disk \\\"full\\\"\"\n"
                                       "12:58:18.123Z info    server.stopped\n");
}

static void json_lines_are_objects(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 65536);
    open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_AUTO); /* a pipe is no terminal */
    log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("path", "/a\"b"), LOG_INT("status", -1), LOG_BOOL("kept", false));
    close_log(&f, &out);
    assert_string_equal(buf_str(&out),
                        "{\"time\":\"2025-12-03T12:58:18.123Z\",\"level\":\"info\",\"event\":\"request.refused\","
                        "\"path\":\"/a\\\"b\",\"status\":-1,\"kept\":false}\n");
}

static void light_events_are_left_out(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 65536);
    open_log(&f, LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
    assert_false(log_wants(f.log, LOG_REQUEST_REFUSED));
    assert_true(log_wants(f.log, LOG_STORE_FAILED));
    log_event(f.log, LOG_REQUEST_REFUSED);
    close_log(&f, &out);
    assert_string_equal(buf_str(&out), "");
    log_event(NULL, LOG_STORE_FAILED);
}

static void a_value_cannot_forge_a_line(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 65536);
    open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("agent", "x\n12:00 error \033[31m\xff"), LOG_TEXT("empty", ""));
    close_log(&f, &out);
    assert_non_null(strstr(buf_str(&out), "agent=\"x\\x0a12:00 error \\x1b[31m\\xff\" empty=\"\"\n"));
    assert_ptr_equal(strchr(buf_str(&out), '\n'), buf_str(&out) + out.len - 1);
}

/* Undoes \\, \xNN and, in a text line, \". */
static void undo(const char *shown, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (shown[i] != '\\') {
            buf_char(out, shown[i]);
            continue;
        }
        char hex[3] = { 0 };
        if (shown[++i] == 'x') {
            memcpy(hex, shown + i + 1, 2);
            i += 2;
        }
        buf_char(out, hex[0] != '\0' ? (char)strtol(hex, NULL, 16) : shown[i]);
    }
}

/* Every pair of bytes, between letters that could finish an escape. */
static void a_value_can_be_told_from_its_looks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 255 * 255; i++) {
        const char text[] = { (char)(1 + i / 255), (char)(1 + i % 255), 'x', '4', '1', '\\', 'x', '0', 'a', '\0' };
        struct fixture f;
        AUTO_BUF(line, 4096);
        AUTO_BUF(back, 64);
        if (strchr("\\\"x= \n\x7f\xff", text[1]) == NULL)
            continue;
        open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
        log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("path", text));
        close_log(&f, &line);
        const char *shown = strstr(buf_str(&line), "path=") + 5;
        size_t len = strcspn(shown, "\n");
        bool quoted = shown[0] == '"';
        undo(shown + quoted, len - 2 * quoted, &back);
        assert_string_equal(buf_str(&back), text);
    }
}

static void a_backslash_in_json_is_told_too(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 65536);
    open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("a", "\\x0a"), LOG_TEXT("b", "\n"));
    close_log(&f, &out);
    assert_non_null(strstr(buf_str(&out), "\"a\":\"\\\\\\\\x0a\",\"b\":\"\\\\x0a\""));
}

static void long_values_are_cut(void **state)
{
    (void)state;
    for (enum log_format format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        struct fixture f;
        AUTO_BUF(out, 65536);
        char endless[20000];
        memset(endless, '"', sizeof endless - 1);
        endless[sizeof endless - 1] = '\0';
        open_log(&f, LOG_LEVEL_INFO, format);
        log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("agent", endless));
        log_event(f.log, LOG_REQUEST_REFUSED, LOG_TEXT("a", endless), LOG_TEXT("b", endless), LOG_TEXT("c", endless),
                  LOG_TEXT("d", endless));
        close_log(&f, &out);
        assert_non_null(
            strstr(buf_str(&out), "...")); /* the first is cut; the second, beyond a line, lacks its fields */
        assert_true(out.len < 4096);
        assert_int_equal(out.data[out.len - 1], '\n');
    }
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level;
    assert_true(log_level_from_text("warning", &level));
    assert_int_equal(level, LOG_LEVEL_WARNING);
    assert_false(log_level_from_text("loud", &level));
}

static void *write_lines(void *log)
{
    for (int i = 0; i < 100; i++)
        log_event((struct log *)log, LOG_REQUEST_REFUSED, LOG_TEXT("path", "/order/0123456789"),
                  LOG_INT("status", 200));
    return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
    (void)state;
    struct fixture f;
    AUTO_BUF(out, 1 << 20);
    open_log(&f, LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, f.log), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    close_log(&f, &out);
    size_t lines = 0;
    for (char *rest = out.data, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++) {
        char why[JSON_WHY_SIZE];
        AUTO_TYPE(json_t) object = json_read_object(bytes_text(line), why);
        assert_non_null(object);
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_are_aligned),
        cmocka_unit_test(json_lines_are_objects),
        cmocka_unit_test(light_events_are_left_out),
        cmocka_unit_test(a_value_cannot_forge_a_line),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(lines_of_threads_stay_whole),
        cmocka_unit_test(a_value_can_be_told_from_its_looks),
        cmocka_unit_test(a_backslash_in_json_is_told_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
