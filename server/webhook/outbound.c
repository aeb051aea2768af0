#include "server/webhook/outbound.h"

#include "base/crypto.h"
#include "base/encode.h"
#include "base/thread.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

enum { SECRET_LEAST_BYTES = 16, SECRET_MOST_BYTES = 1024, POLL_MS = 60000, HEADER_MAX_BYTES = 512 };

struct outbound {
    const struct world *world;
    const char *ca_file, *user_agent; /* loans */
    struct buf secret;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the queue and how */
    struct list queued;
    enum { RUNS, CLOSES, STOPS } how;
    struct list active; /* the thread's */
};

/* ---- the signature */

static void standard_alphabet(struct buf *text, size_t from)
{
    for (size_t i = from; i < text->len; i++)
        text->data[i] = text->data[i] == '-' ? '+' : text->data[i] == '_' ? '/' : text->data[i];
    for (size_t len = text->len - from; len % 4 != 0; len++)
        buf_char(text, '=');
}

void outbound_sign(struct bytes secret, const char *id, int64_t seconds, struct bytes body, struct buf *out)
{
    uint8_t mac[SHA256_BYTES];
    AUTO_BUF(signed_text, body.len + HEADER_MAX_BYTES);
    buf_printf(&signed_text, "%s.%lld.", id, (long long)seconds);
    buf_append(&signed_text, body.data, body.len);
    crypto_hmac_sha256(secret, buf_bytes(&signed_text), mac);
    buf_text(out, "v1,");
    size_t from = out->len;
    buf_b64url(out, bytes_of(mac, sizeof mac));
    standard_alphabet(out, from);
    out->failed |= signed_text.failed;
}

static bool decode_standard(struct bytes text, struct buf *out)
{
    AUTO(arena) arena = arena_create(2 * (size_t)SECRET_MOST_BYTES);
    struct bytes trimmed = b64url_trim_padding(text), decoded;
    char *url_alphabet = arena != NULL ? arena_text_of(arena, trimmed) : NULL;
    TRY(url_alphabet != NULL);
    for (char *c = url_alphabet; *c != '\0'; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    TRY(b64url_decode(arena, bytes_of(url_alphabet, trimmed.len), &decoded));
    buf_append(out, decoded.data, decoded.len);
    return true;
}

bool outbound_secret(struct bytes text, struct buf *out)
{
    static const char prefix[] = "whsec_";
    size_t prefix_len = sizeof prefix - 1;
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    if (text.len > prefix_len && memcmp(text.data, prefix, prefix_len) == 0)
        TRY(decode_standard(bytes_of(text.data + prefix_len, text.len - prefix_len), out));
    else
        buf_append(out, text.data, text.len);
    return !out->failed && out->len >= SECRET_LEAST_BYTES;
}

static bool read_secret(const char *path, struct buf *out, char why[static OUTBOUND_WHY_SIZE])
{
    char text[SECRET_MOST_BYTES + 1];
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(text, 1, sizeof text, file) : 0;
    bool whole = file != NULL && !ferror(file) && len <= SECRET_MOST_BYTES;
    int error = errno;
    if (file != NULL)
        fclose(file);
    bool good = whole && outbound_secret(bytes_of(text, len), out);
    if (file == NULL)
        snprintf(why, OUTBOUND_WHY_SIZE, "cannot read webhook.secret-file %.100s: %s", path, strerror(error));
    else if (!good)
        snprintf(why, OUTBOUND_WHY_SIZE,
                 "webhook.secret-file %.100s must hold a secret of %d to %d bytes, as it is or as whsec_ and base64",
                 path, SECRET_LEAST_BYTES, SECRET_MOST_BYTES);
    explicit_bzero(text, sizeof text);
    return good;
}

/* ---- one post */

static size_t take_answer(char *data, size_t size, size_t count, void *arg)
{
    struct buf *answer = arg;
    buf_append(answer, data, size * count);
    return answer->failed ? 0 : size * count;
}

static bool add_header(struct outbound_post *post, const struct buf *line)
{
    struct curl_slist *longer = line->failed ? NULL : curl_slist_append(post->headers, buf_str(line));
    TRY(longer != NULL);
    post->headers = longer;
    return true;
}

static bool add_headers(const struct outbound *outbound, struct outbound_post *post)
{
    long long seconds = world_now_ms(outbound->world) / 1000;
    AUTO_BUF(line, HEADER_MAX_BYTES);
    buf_text(&line, "Content-Type: application/json");
    TRY(add_header(post, &line));
    buf_clear(&line);
    buf_printf(&line, "webhook-id: %s", post->id);
    TRY(add_header(post, &line));
    buf_clear(&line);
    buf_printf(&line, "webhook-timestamp: %lld", seconds);
    TRY(add_header(post, &line));
    if (outbound->secret.len == 0)
        return true;
    buf_clear(&line);
    buf_text(&line, "webhook-signature: ");
    outbound_sign(buf_bytes(&outbound->secret), post->id, seconds, post->body, &line);
    return add_header(post, &line);
}

static bool prepare(const struct outbound *outbound, struct outbound_post *post)
{
    CURL *easy = post->easy = curl_easy_init();
    TRY(easy != NULL && add_headers(outbound, post));
    int failed = curl_easy_setopt(easy, CURLOPT_URL, post->url);
    failed |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.data);
    failed |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)post->body.len);
    failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
    failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT, outbound->user_agent);
    failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    failed |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, &post->answer);
    failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
    if (outbound->ca_file[0] != '\0')
        failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, outbound->ca_file);
    return failed == 0;
}

/* The post is the caller's again once done has begun. */
static void finish(struct outbound_post *post, const char *why)
{
    long status = 0;
    if (why == NULL)
        curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(post->why, sizeof post->why, "%s", why != NULL ? why : "");
    post->status = (int)status;
    curl_easy_cleanup(post->easy);
    curl_slist_free_all(post->headers);
    post->easy = post->headers = NULL;
    post->done(post);
}

static void start_one(struct outbound *outbound, struct outbound_post *post)
{
    if (!prepare(outbound, post) || curl_multi_add_handle(outbound->multi, post->easy) != CURLM_OK) {
        finish(post, "out of memory");
        return;
    }
    list_add(&outbound->active, &post->link);
}

static void end_one(struct outbound *outbound, struct outbound_post *post, const char *why)
{
    list_remove(&post->link);
    curl_multi_remove_handle(outbound->multi, post->easy);
    finish(post, why);
}

void outbound_clear(struct outbound_post *post)
{
    buf_free(&post->answer);
}

/* ---- the thread */

static struct outbound_post *post_of(struct list *link)
{
    return link != NULL ? CONTAINER_OF(link, struct outbound_post, link) : NULL;
}

static struct outbound_post *take_queued(struct outbound *outbound, int *out_how)
{
    pthread_mutex_lock(&outbound->lock);
    struct list *first = list_first(&outbound->queued);
    if (first != NULL)
        list_remove(first);
    *out_how = outbound->how;
    pthread_mutex_unlock(&outbound->lock);
    return post_of(first);
}

static void end_finished(struct outbound *outbound)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(outbound->multi, &left)) != NULL;) {
        struct outbound_post *post;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
        end_one(outbound, post, code == CURLE_OK ? NULL : curl_easy_strerror(code));
    }
}

static void *run(void *arg)
{
    struct outbound *outbound = arg;
    int how = RUNS, running;
    while (how != STOPS) {
        for (struct outbound_post *post; (post = take_queued(outbound, &how)) != NULL;)
            start_one(outbound, post);
        curl_multi_perform(outbound->multi, &running);
        end_finished(outbound);
        for (struct list *first; how != RUNS && (first = list_first(&outbound->active)) != NULL;)
            end_one(outbound, post_of(first), "the server is stopping");
        if (how != STOPS)
            curl_multi_poll(outbound->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

void outbound_submit(struct outbound *outbound, struct outbound_post *post)
{
    post->answer = BUF_INIT(OUTBOUND_ANSWER_MAX_BYTES);
    pthread_mutex_lock(&outbound->lock);
    list_add(&outbound->queued, &post->link);
    pthread_mutex_unlock(&outbound->lock);
    curl_multi_wakeup(outbound->multi);
}

static void drop(struct outbound *outbound)
{
    if (outbound->secret.data != NULL)
        explicit_bzero(outbound->secret.data, outbound->secret.len);
    buf_free(&outbound->secret);
    if (outbound->multi != NULL)
        curl_multi_cleanup(outbound->multi);
    pthread_mutex_destroy(&outbound->lock);
    free(outbound);
}

struct outbound *outbound_start(const struct outbound_options *options, char why[static OUTBOUND_WHY_SIZE])
{
    struct outbound *outbound = calloc(1, sizeof *outbound);
    snprintf(why, OUTBOUND_WHY_SIZE, "out of memory or threads");
    if (outbound == NULL)
        return NULL;
    list_init(&outbound->queued);
    list_init(&outbound->active);
    pthread_mutex_init(&outbound->lock, NULL);
    outbound->world = options->world;
    outbound->ca_file = options->ca_file;
    outbound->user_agent = options->user_agent;
    outbound->secret = BUF_INIT(SECRET_MOST_BYTES);
    outbound->multi = curl_multi_init();
    bool ok = options->secret_file[0] == '\0' || read_secret(options->secret_file, &outbound->secret, why);
    if (ok && outbound->multi != NULL && thread_start(&outbound->thread, run, outbound))
        return outbound;
    drop(outbound);
    return NULL;
}

static void go_over_to(struct outbound *outbound, int how)
{
    pthread_mutex_lock(&outbound->lock);
    outbound->how = how;
    pthread_mutex_unlock(&outbound->lock);
    curl_multi_wakeup(outbound->multi);
}

void outbound_close(struct outbound *outbound)
{
    if (outbound != NULL)
        go_over_to(outbound, CLOSES);
}

void outbound_stop(struct outbound *outbound)
{
    if (outbound == NULL)
        return;
    go_over_to(outbound, STOPS);
    pthread_join(outbound->thread, NULL);
    drop(outbound);
}
