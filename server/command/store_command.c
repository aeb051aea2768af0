#include "server/command/store_command.h"

#include "server/command/admin_client.h"
#include "server/caraway.h"
#include "server/command/outlet.h"
#include "server/management/upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, BLOCK_BYTES = 64 << 10, LINE_BYTES = 64 << 10 };

static bool refuse(char why[static ADMIN_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(char why[static ADMIN_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, ADMIN_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* A path below the data directory; "" when it is too long. */
static void path_in(const struct settings *settings, const char *name, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "%s/%s", settings->data, name);
}

static bool database_exists(const struct settings *settings)
{
    AUTO_BUF(path, PATH_BYTES);
    path_in(settings, "db/data.mdb", &path);
    return access(buf_str(&path), F_OK) == 0;
}

static bool open_or_make_database(const struct settings *settings, struct store **out, char why[static ADMIN_WHY_SIZE])
{
    char reason[CARAWAY_WHY_SIZE];
    if (strcmp(settings->storage_driver, "memory") == 0)
        return refuse(why, "storage.driver is memory: without a running server there are no records");
    bool opened = caraway_make_directory(settings, reason) && caraway_open_store(settings, out, reason);
    return opened || refuse(why, "%s", reason);
}

static bool open_database(const struct settings *settings, struct store **out, char why[static ADMIN_WHY_SIZE])
{
    if (!database_exists(settings))
        return refuse(why, "there is no database in %.300s; name the data directory with --data", settings->data);
    return open_or_make_database(settings, out, why);
}

/* The one word behind the command; `fallback` stands for none. */
static const char *file_word(const struct command_line *line, const char *command, const char *fallback)
{
    if (line->arg_count == 1)
        return line->args[0];
    if (line->arg_count == 0 && fallback != NULL)
        return fallback;
    command_fail("caraway %s takes one FILE, or - for standard %s", command,
                 strcmp(command, "restore") == 0 || strcmp(command, "import") == 0 ? "input" : "output");
    return NULL;
}

/* ---- what a stream says, from the running server or from the data directory */

static bool read_directory(const struct settings *settings, const char *name, admin_take *take, void *arg,
                           char why[static ADMIN_WHY_SIZE])
{
    AUTO(store) store = NULL;
    TRY(open_database(settings, &store, why));
    AUTO(stream) stream = stream_open(store, upkeep_source(name), NULL);
    if (stream == NULL)
        return refuse(why, "out of memory");
    char block[BLOCK_BYTES];
    ssize_t got;
    while ((got = stream_read(stream, block, sizeof block)) > 0)
        TRY(take(arg, block, (size_t)got));
    return got == 0 || refuse(why, "%s", stream_why(stream));
}

static bool read_stream(const struct settings *settings, const char *name, admin_take *take, void *arg,
                        char why[static ADMIN_WHY_SIZE])
{
    AUTO_BUF(path, PATH_BYTES);
    buf_printf(&path, UPKEEP_PATH "%s", name);
    enum admin_end end = admin_stream(settings->data, buf_str(&path), take, arg, why);
    return end == ADMIN_NO_SERVER ? read_directory(settings, name, take, arg, why) : end == ADMIN_ANSWERED;
}

/* ---- backup and export */

struct copying {
    struct outlet outlet;
    struct progress progress;
    bool lines; /* what progress counts; otherwise bytes */
    char *why;
};

static bool take_copy(void *arg, const char *data, size_t len)
{
    struct copying *copying = arg;
    uint64_t lines = 0;
    for (const char *at = data; copying->lines && (at = memchr(at, '\n', len - (size_t)(at - data))) != NULL; at++)
        lines++;
    progress_add(&copying->progress, copying->lines ? lines : len);
    return outlet_write(&copying->outlet, data, len, copying->why);
}

static bool copy_stream(const struct settings *settings, const char *name, const char *file, struct copying *copying)
{
    bool read = outlet_open(&copying->outlet, file, copying->why) &&
                read_stream(settings, name, take_copy, copying, copying->why);
    progress_end(&copying->progress);
    bool kept = read && outlet_keep(&copying->outlet, copying->why);
    outlet_close(&copying->outlet);
    return kept;
}

static int copy_command(const struct command_line *line, const char *name, const char *fallback, const char *unit)
{
    char why[ADMIN_WHY_SIZE] = "";
    const char *file = file_word(line, name, fallback);
    AUTO(settings) settings = file != NULL ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    struct copying copying = { .progress = { .what = unit }, .lines = strcmp(unit, "bytes") != 0, .why = why };
    bool terminal = !copying.lines && strcmp(file, "-") == 0 && isatty(STDOUT_FILENO);
    if (terminal)
        return command_fail("a backup is no text for a terminal; name a FILE");
    signal(SIGPIPE, SIG_IGN);
    if (!copy_stream(settings, name, file, &copying))
        return command_fail("%s", why);
    if (strcmp(file, "-") != 0)
        printf("%s: %" PRIu64 " %s\n", file, copying.progress.count, unit);
    return EXIT_SUCCESS;
}

int backup_command(const struct command_line *line)
{
    return copy_command(line, "backup", NULL, "bytes");
}

int export_command(const struct command_line *line)
{
    return copy_command(line, "export", "-", "lines");
}

/* ---- check */

struct checking {
    struct buf pending;
    struct progress progress;
    enum { CHECK_BROKEN_OFF, CHECK_CLEAN, CHECK_FAULTY } end;
};

static int64_t count_in(const json_t *counts, const char *name)
{
    return json_integer_value(json_object_get(counts, name));
}

static void take_check_end(struct checking *checking, const json_t *counts)
{
    int64_t faults = count_in(counts, "faults");
    printf("%" PRId64 " records and %" PRId64 " keys of indexes: %" PRId64 " fault%s\n", count_in(counts, "records"),
           count_in(counts, "keys"), faults, faults == 1 ? "" : "s");
    checking->end = faults == 0 ? CHECK_CLEAN : CHECK_FAULTY;
}

static void take_check_line(struct checking *checking, struct bytes text)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) line = json_read_object(text, why);
    const char *fault = json_member_text(line, "fault"), *failed = json_member_text(line, "failed");
    const json_t *counts = json_object_get(line, "checked"), *progress = json_object_get(line, "progress");
    if (progress != NULL)
        progress_set(&checking->progress, (uint64_t)json_integer_value(progress));
    if (fault != NULL || failed != NULL)
        printf("%s\n", fault != NULL ? fault : failed);
    if (failed != NULL)
        checking->end = CHECK_FAULTY;
    if (counts != NULL)
        take_check_end(checking, counts);
}

static bool take_check(void *arg, const char *data, size_t len)
{
    struct checking *checking = arg;
    struct buf *pending = &checking->pending;
    buf_append(pending, data, len);
    TRY(!pending->failed);
    size_t taken = 0;
    for (const char *end; (end = memchr(pending->data + taken, '\n', pending->len - taken)) != NULL;) {
        size_t line_len = (size_t)(end - pending->data) - taken;
        take_check_line(checking, bytes_of(pending->data + taken, line_len));
        taken += line_len + 1;
    }
    pending->len -= taken;
    memmove(pending->data, pending->data + taken, pending->len);
    return true;
}

static int check_and_tell(const struct settings *settings,
                          bool (*read)(const struct settings *, const char *, admin_take *, void *,
                                       char why[static ADMIN_WHY_SIZE]))
{
    char why[ADMIN_WHY_SIZE] = "the check broke off";
    struct checking checking = { .pending = BUF_INIT(2 * LINE_BYTES), .progress = { .what = "records and keys" } };
    bool whole = read(settings, "check", take_check, &checking, why);
    progress_end(&checking.progress);
    buf_free(&checking.pending);
    if (!whole || checking.end == CHECK_BROKEN_OFF)
        return command_fail("%s", why);
    if (checking.end == CHECK_FAULTY)
        return command_fail("the database is damaged: stop the server and restore a backup");
    return EXIT_SUCCESS;
}

/* A page of garbage can lead LMDB astray: what it does to this process is an answer too. */
static int check_apart(const struct settings *settings)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        status = check_and_tell(settings, read_directory);
        fflush(stdout);
        _exit(status);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return command_fail("cannot start a process: %s", strerror(errno));
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return command_fail("reading the database ended with signal %d: it is damaged; restore a backup", WTERMSIG(status));
}

static bool server_answers(const struct settings *settings)
{
    char why[ADMIN_WHY_SIZE];
    AUTO_TYPE(json_t) answer = NULL;
    return admin_ask(settings->data, "GET", "/api/accounts?limit=1", NULL, &answer, why);
}

int check_command(const struct command_line *line)
{
    AUTO(settings) settings = command_takes_no_words(line) ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    return server_answers(settings) ? check_and_tell(settings, read_stream) : check_apart(settings);
}

/* ---- restore */

static bool open_input(const char *name, int *out, char why[static ADMIN_WHY_SIZE])
{
    int fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(why, "cannot read %.200s: %s", name, strerror(errno));
    *out = fd;
    return true;
}

static bool copy_input(int fd, const char *name, struct outlet *outlet, char why[static ADMIN_WHY_SIZE])
{
    char block[BLOCK_BYTES];
    struct progress progress = { .what = "bytes" };
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0) {
        progress_add(&progress, (uint64_t)got);
        TRY(outlet_write(outlet, block, (size_t)got, why));
    }
    progress_end(&progress);
    if (got == 0 && progress.count == 0)
        return refuse(why, "%.200s is empty", name);
    return got == 0 || refuse(why, "cannot read %.200s: %s", name, strerror(errno));
}

/* Puts the input into DIR/db/data.mdb, under another name until it is whole. */
static bool place(const struct settings *settings, const char *name, char why[static ADMIN_WHY_SIZE])
{
    AUTO_BUF(path, PATH_BYTES);
    char reason[CARAWAY_WHY_SIZE];
    int fd;
    if (!caraway_make_directory(settings, reason))
        return refuse(why, "%s", reason);
    path_in(settings, "db", &path);
    if (mkdir(buf_str(&path), 0700) != 0 && errno != EEXIST)
        return refuse(why, "cannot make %.200s: %s", buf_str(&path), strerror(errno));
    TRY(open_input(name, &fd, why));
    path_in(settings, "db/data.mdb", &path);
    struct outlet outlet;
    bool placed =
        outlet_open(&outlet, buf_str(&path), why) && copy_input(fd, name, &outlet, why) && outlet_keep(&outlet, why);
    outlet_close(&outlet);
    close(fd);
    return placed;
}

/* The next start would make another authority without a word. */
static void remind_of_authority(const struct settings *settings)
{
    AUTO_BUF(path, PATH_BYTES);
    path_in(settings, "ca/root.pem", &path);
    if (access(buf_str(&path), F_OK) != 0)
        printf("%s/ca is not there, and no part of a backup: put your copy of it there before the server starts, or it "
               "makes a new authority, to which the certificates on record do not lead\n",
               settings->data);
}

int restore_command(const struct command_line *line)
{
    char why[ADMIN_WHY_SIZE] = "";
    const char *name = file_word(line, "restore", NULL);
    AUTO(settings) settings = name != NULL ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    if (database_exists(settings))
        return command_fail("%s holds a database; stop its server and move %s/db away first", settings->data,
                            settings->data);
    if (!place(settings, name, why))
        return command_fail("%s", why);
    int status = check_apart(settings);
    if (status == EXIT_SUCCESS) {
        remind_of_authority(settings);
        return status;
    }
    AUTO_BUF(path, PATH_BYTES);
    path_in(settings, "db/data.mdb", &path);
    unlink(buf_str(&path));
    return command_fail("%s is not a whole backup; nothing was restored", name);
}

/* ---- import */

static bool tell_progress(void *arg, const struct store_counts *counts)
{
    progress_set(arg, counts->records);
    return true;
}

static bool import_file(const struct settings *settings, int fd, enum store_import_mode mode, struct store_counts *out,
                        char why[static ADMIN_WHY_SIZE])
{
    char wrong[STORE_WHY_SIZE];
    AUTO(store) store = NULL;
    TRY(open_or_make_database(settings, &store, why));
    struct progress progress = { .what = "records" };
    struct store_listener listener = { .progress = tell_progress, .arg = &progress };
    *out = (struct store_counts) { .records = 0 };
    bool imported = store_import(store, fd, mode, &listener, out, wrong) == STORE_OK;
    progress_end(&progress);
    if (!imported && out->records == 0)
        return refuse(why, "%s%s", wrong,
                      mode == STORE_IMPORT_EMPTY && strstr(wrong, "holds records") != NULL
                          ? "; --merge puts the import's records among them"
                          : "");
    return imported ||
           refuse(why, "%s; the %" PRIu64 " records in front of it are stored, --merge goes on", wrong, out->records);
}

int import_command(const struct command_line *line)
{
    char why[ADMIN_WHY_SIZE] = "";
    int fd;
    struct store_counts counts;
    const char *name = file_word(line, "import", NULL);
    AUTO(settings) settings = name != NULL ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    if (!open_input(name, &fd, why))
        return command_fail("%s", why);
    bool imported = import_file(settings, fd, line->merge ? STORE_IMPORT_MERGE : STORE_IMPORT_EMPTY, &counts, why);
    close(fd);
    if (!imported)
        return command_fail("%s", why);
    printf("%" PRIu64 " records\n", counts.records);
    return EXIT_SUCCESS;
}

/* ---- compact */

static int64_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? (int64_t)file.st_size : 0;
}

/* The copy takes the database's place while we still hold its lock. */
static bool compact(const struct settings *settings, const char *file, char why[static ADMIN_WHY_SIZE])
{
    AUTO(store) store = NULL;
    struct outlet outlet;
    char reason[STORE_WHY_SIZE];
    TRY(open_database(settings, &store, why));
    bool opened = outlet_open(&outlet, file, why);
    bool copied = opened && store_copy(store, outlet.fd, reason) == STORE_OK;
    if (opened && !copied)
        refuse(why, "%s", reason);
    bool kept = copied && outlet_keep(&outlet, why);
    outlet_close(&outlet);
    return kept;
}

int compact_command(const struct command_line *line)
{
    char why[ADMIN_WHY_SIZE] = "";
    AUTO_BUF(path, PATH_BYTES);
    AUTO(settings) settings = command_takes_no_words(line) ? command_settings(line) : NULL;
    if (settings == NULL)
        return EXIT_FAILURE;
    path_in(settings, "db/data.mdb", &path);
    int64_t before = size_of(buf_str(&path));
    if (!compact(settings, buf_str(&path), why))
        return command_fail("%s", why);
    printf("%s: %" PRId64 " bytes, %" PRId64 " before\n", buf_str(&path), size_of(buf_str(&path)), before);
    return EXIT_SUCCESS;
}
