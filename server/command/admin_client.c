#include "server/command/admin_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <sys/un.h>

enum { TIMEOUT_S = 30, SOCKET_PATH_MAX_BYTES = sizeof((struct sockaddr_un *)0)->sun_path - 1 };

DEFINE_DROP_TYPE(CURL, curl_easy_cleanup)

static size_t take_answer(char *data, size_t size, size_t count, void *arg)
{
    struct buf *answer = arg;
    buf_append(answer, data, size * count);
    return answer->failed ? 0 : size * count;
}

static bool perform(CURL *curl, const char *data_directory, char why[static ADMIN_WHY_SIZE])
{
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_COULDNT_CONNECT)
        snprintf(why, ADMIN_WHY_SIZE,
                 "no server answers for the data directory %s; start it with \"caraway serve --data %s\", or name "
                 "another directory with --data",
                 data_directory, data_directory);
    else if (code != CURLE_OK)
        snprintf(why, ADMIN_WHY_SIZE, "asking the server failed: %s", curl_easy_strerror(code));
    return code == CURLE_OK;
}

static bool read_answer(CURL *curl, const struct buf *answer, json_t **out, char why[static ADMIN_WHY_SIZE])
{
    long status = 0;
    char reason[JSON_WHY_SIZE];
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    AUTO_TYPE(json_t) value = json_read_object(buf_bytes(answer), reason);
    if (value == NULL)
        snprintf(why, ADMIN_WHY_SIZE, "the server's answer is not JSON: %s", reason);
    else if (status / 100 != 2)
        snprintf(why, ADMIN_WHY_SIZE, "%s", json_member_text(value, "detail") ?: "the server refused without a reason");
    TRY(value != NULL && status / 100 == 2);
    *out = TAKE(value);
    return true;
}

static bool fits_a_socket(const char *data_directory)
{
    return strlen(data_directory) + strlen("/" ADMIN_SOCKET) <= SOCKET_PATH_MAX_BYTES;
}

static bool prepare(CURL *curl, const char *data_directory, const char *method, const char *path,
                    char why[static ADMIN_WHY_SIZE])
{
    AUTO_BUF(socket, SOCKET_PATH_MAX_BYTES);
    AUTO_BUF(url, 4096);
    buf_printf(&socket, "%s/%s", data_directory, ADMIN_SOCKET);
    buf_printf(&url, "http://localhost%s", path);
    if (socket.failed)
        snprintf(
            why, ADMIN_WHY_SIZE,
            "the path of the server's socket in %.200s is longer than %d bytes; go to a directory from where --data "
            "can be shorter, and start the server from there, too",
            data_directory, SOCKET_PATH_MAX_BYTES);
    else
        snprintf(why, ADMIN_WHY_SIZE, "out of memory");
    TRY(curl != NULL && !socket.failed && !url.failed);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    return curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, buf_str(&socket)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_URL, buf_str(&url)) == CURLE_OK;
}

bool admin_ask(const char *data_directory, const char *method, const char *path, const char *body, json_t **out,
               char why[static ADMIN_WHY_SIZE])
{
    AUTO_TYPE(CURL) curl = curl_easy_init();
    AUTO_BUF(answer, ADMIN_ANSWER_MAX_BYTES);
    TRY(prepare(curl, data_directory, method, path, why));
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    return perform(curl, data_directory, why) && read_answer(curl, &answer, out, why);
}

struct streaming {
    CURL *curl;
    admin_take *take;
    void *arg;
    struct buf refusal; /* the answer when it is no success */
    bool broken_off;
};

static size_t take_block(char *data, size_t size, size_t count, void *arg)
{
    struct streaming *streaming = arg;
    long status = 0;
    curl_easy_getinfo(streaming->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2)
        return take_answer(data, size, count, &streaming->refusal);
    streaming->broken_off = !streaming->take(streaming->arg, data, size * count);
    return streaming->broken_off ? 0 : size * count;
}

static enum admin_end end_of(struct streaming *streaming, CURLcode code, char why[static ADMIN_WHY_SIZE])
{
    AUTO_TYPE(json_t) unused = NULL;
    if (code == CURLE_COULDNT_CONNECT)
        return ADMIN_NO_SERVER;
    if (streaming->refusal.len > 0)
        return read_answer(streaming->curl, &streaming->refusal, &unused, why) ? ADMIN_ANSWERED : ADMIN_FAILED;
    if (code != CURLE_OK && !streaming->broken_off)
        snprintf(why, ADMIN_WHY_SIZE, "the server broke off, its log says why (%s)", curl_easy_strerror(code));
    return code == CURLE_OK ? ADMIN_ANSWERED : ADMIN_FAILED;
}

enum admin_end admin_stream(const char *data_directory, const char *path, admin_take *take, void *arg,
                            char why[static ADMIN_WHY_SIZE])
{
    AUTO_TYPE(CURL) curl = curl_easy_init();
    struct streaming streaming = { .curl = curl, .take = take, .arg = arg, .refusal = BUF_INIT(1 << 20) };
    if (!fits_a_socket(data_directory))
        return ADMIN_NO_SERVER;
    if (!prepare(curl, data_directory, "POST", path, why))
        return ADMIN_FAILED;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_block);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &streaming);
    enum admin_end end = end_of(&streaming, curl_easy_perform(curl), why);
    buf_free(&streaming.refusal);
    return end;
}
