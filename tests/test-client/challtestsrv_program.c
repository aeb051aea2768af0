#include "tests/test-client/challtestsrv_program.h"

#include "tests/test-client/dns_client.h"
#include "tests/test-client/loopback.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 32, OUTPUT_MAX = 1 << 16 };

void program_start(struct program *program, const char *const *words)
{
    int output[2];
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    *program = (struct program) { .pid = fork(), .output = output[0], .said = BUF_INIT(OUTPUT_MAX) };
    assert_true(program->pid >= 0);
    if (program->pid == 0) {
        const char *arguments[ARGUMENTS_MAX] = { "caraway-challtestsrv" };
        for (size_t i = 1; *words != NULL && i < ARGUMENTS_MAX - 1; i++)
            arguments[i] = *words++;
        dup2(output[1], STDOUT_FILENO);
        dup2(output[1], STDERR_FILENO);
        execv(CHALLTESTSRV, (char **)arguments);
        _exit(127);
    }
    close(output[1]);
}

/* False at the end of the output. */
static bool read_output(struct program *program)
{
    char block[4096];
    loopback_wait(NULL, program->output);
    ssize_t got = read(program->output, block, sizeof block);
    if (got <= 0)
        return false;
    buf_append(&program->said, block, (size_t)got);
    return true;
}

void program_wait_for(struct program *program, const char *words)
{
    while (strstr(buf_str(&program->said), words) == NULL || buf_str(&program->said)[program->said.len - 1] != '\n') {
        if (!read_output(program))
            fail_msg("\"%s\" is not in \"%s\"", words, buf_str(&program->said));
    }
}

int program_end(struct program *program)
{
    int status = 0;
    while (read_output(program))
        continue;
    close(program->output);
    buf_free(&program->said);
    waitpid(program->pid, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

uint16_t program_port(const struct program *program, const char *words)
{
    const char *at = strstr(buf_str(&program->said), words);
    assert_non_null(at);
    assert_int_equal(strncmp(at + strlen(words), "127.0.0.1:", 10), 0);
    return (uint16_t)strtoul(at + strlen(words) + 10, NULL, 10);
}

int fixture_set_up(void **state)
{
    static const char *const words[] = {
        "-http01",
        "127.0.0.1:0",
        "--https01=127.0.0.1:0",
        "--tlsalpn01=127.0.0.1:0",
        "-dns01",
        "127.0.0.1:0",
        "-doh",
        "127.0.0.1:0",
        "-management",
        "127.0.0.1:0",
        NULL,
    };
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    program_start(&f->program, words);
    program_wait_for(&f->program, "Starting management server on ");
    assert_non_null(strstr(buf_str(&f->program.said), "Starting challenge servers\n"));
    f->http = program_port(&f->program, "http-01 answers on ");
    f->https = program_port(&f->program, "http-01 answers over HTTPS on ");
    f->doh = program_port(&f->program, "DNS over HTTPS on ");
    f->tls = program_port(&f->program, "tls-alpn-01 answers on ");
    f->dns = program_port(&f->program, "DNS over UDP and TCP on ");
    f->management = program_port(&f->program, "Starting management server on ");
    *state = f;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    kill(f->program.pid, SIGTERM);
    int code = program_end(&f->program);
    free(f);
    return code;
}

int order(const struct fixture *f, const char *path, const char *json, struct buf *body)
{
    AUTO_BUF(request, 1 << 17);
    AUTO_BUF(answer, 1 << 18);
    buf_printf(&request, "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
               path, strlen(json), json);
    loopback_exchange(NULL, f->management, buf_str(&request), &answer);
    const char *head_end = strstr(buf_str(&answer), "\r\n\r\n");
    assert_non_null(head_end);
    if (body != NULL)
        buf_text(body, head_end + 4);
    return (int)strtol(buf_str(&answer) + strlen("HTTP/1.1 "), NULL, 10);
}

void assert_done(const struct fixture *f, const char *path, const char *json)
{
    AUTO_BUF(body, 4096);
    if (order(f, path, json, &body) != 200 || body.len != 0)
        fail_msg("%s %s: %s", path, json, buf_str(&body));
}

void assert_order(const struct fixture *f, const char *path, const char *json, const char *expected)
{
    AUTO_BUF(body, 1 << 16);
    assert_int_equal(order(f, path, json, &body), 200);
    assert_string_equal(buf_str(&body), expected);
}

void assert_dns(const struct fixture *f, const char *name, uint16_t type, const char *expected)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, 4096);
    AUTO_BUF(text, 4096);
    dns_client_query(&query, name, type, 0);
    int fd = loopback_udp(f->dns);
    loopback_send(fd, query.data, query.len);
    assert_true(loopback_read(NULL, fd, &answer, 1));
    close(fd);
    dns_client_text(buf_bytes(&answer), &text);
    assert_string_equal(buf_str(&text), expected);
}
