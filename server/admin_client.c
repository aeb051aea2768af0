#include "server/admin_client.h"

#include <curl/curl.h>
#include <stdio.h>

enum { TIMEOUT_S = 30 };

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

bool admin_ask(const char *data_directory, const char *method, const char *path, const char *body, json_t **out,
               char why[static ADMIN_WHY_SIZE])
{
    AUTO_TYPE(CURL) curl = curl_easy_init();
    AUTO_BUF(socket, 4096);
    AUTO_BUF(url, 4096);
    AUTO_BUF(answer, ADMIN_ANSWER_MAX_BYTES);
    buf_printf(&socket, "%s/%s", data_directory, ADMIN_SOCKET);
    buf_printf(&url, "http://localhost%s", path);
    if (curl == NULL || socket.failed || url.failed) {
        snprintf(why, ADMIN_WHY_SIZE, "out of memory");
        return false;
    }
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, buf_str(&socket));
    curl_easy_setopt(curl, CURLOPT_URL, buf_str(&url));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    return perform(curl, data_directory, why) && read_answer(curl, &answer, out, why);
}
