#include "validators/dns_look.h"

#include "base/world.h"
#include "validators/outgoing.h"

#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

struct val_look { /* until libuv has let go of it */
    uv_udp_t udp;
    struct val_deadline deadline;
    void (*done)(void *arg, const char *words);
    void *arg;
    size_t question_len;
    uint8_t question[VAL_EDE_QUESTION_MAX];
    uint8_t answer[VAL_EDE_ANSWER_MAX];
};

static void free_look(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct val_look *look, const char *words)
{
    val_deadline_remove(&look->deadline);
    uv_close((uv_handle_t *)&look->udp, free_look);
    if (words != NULL)
        look->done(look->arg, words);
}

static void on_late(struct val_deadline *deadline)
{
    end(CONTAINER_OF(deadline, struct val_look, deadline), "");
}

static void lend(uv_handle_t *handle, size_t wish, uv_buf_t *out)
{
    (void)wish;
    struct val_look *look = handle->data;
    *out = uv_buf_init((char *)look->answer, sizeof look->answer);
}

/* What is no answer to the question may come from anybody, and is passed over. */
static void on_datagram(uv_udp_t *udp, ssize_t got, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
    (void)from;
    (void)flags;
    char words[VAL_EDE_TEXT_SIZE];
    struct val_look *look = udp->data;
    if (got < 0)
        end(look, "");
    else if (got > 0 &&
             val_ede_read(bytes_of(buf->base, (size_t)got), bytes_of(look->question, look->question_len), words))
        end(look, words);
}

static bool ask(struct val_look *look, const struct val_looks *looks)
{
    struct sockaddr_storage to;
    val_address_socket(&looks->server.address, looks->server.port, &to);
    int fd = val_outgoing_open(looks->server.address.family, SOCK_DGRAM, 0, looks->files_below);
    TRY(fd >= 0);
    if (uv_udp_open(&look->udp, fd) != 0) {
        close(fd);
        return false;
    }
    uv_buf_t message = uv_buf_init((char *)look->question, (unsigned)look->question_len);
    return uv_udp_connect(&look->udp, (const struct sockaddr *)&to) == 0 &&
           uv_udp_try_send(&look->udp, &message, 1, NULL) == (int)look->question_len &&
           uv_udp_recv_start(&look->udp, lend, on_datagram) == 0;
}

void val_looks_open(struct val_looks *looks, uv_loop_t *loop, const struct val_relay_target *server, int files_below)
{
    looks->server = *server;
    looks->files_below = files_below;
    val_deadlines_init(&looks->waiting, loop, LOOK_MS, on_late);
}

void val_looks_close(struct val_looks *looks)
{
    val_deadlines_close(&looks->waiting);
}

struct val_look *val_look_start(struct val_looks *looks, const char *name, int type,
                                void (*done)(void *arg, const char *words), void *arg)
{
    uint16_t id;
    struct val_look *look = calloc(1, sizeof *look);
    if (look == NULL)
        return NULL;
    world_random(world_real(), (uint8_t *)&id, sizeof id);
    look->done = done;
    look->arg = arg;
    look->udp.data = look;
    look->question_len = val_ede_question(id, name, type, look->question);
    CHECK(uv_udp_init(looks->waiting.timer.loop, &look->udp) == 0);
    if (look->question_len == 0 || !ask(look, looks)) {
        end(look, NULL);
        return NULL;
    }
    val_deadline_add(&looks->waiting, &look->deadline);
    return look;
}

void val_look_cancel(struct val_look *look)
{
    if (look != NULL)
        end(look, NULL);
}
