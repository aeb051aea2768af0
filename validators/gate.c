#include "validators/gate.h"

#include "base/crypto.h"
#include "base/list.h"

#include <limits.h>
#include <pthread.h>

enum { LINES = 1024, NAMES = 16384, LOOK_AHEAD = 32, KEY_BYTES = 32 };

struct line { /* of one account */
    unsigned running;
    struct validation *first, **end;
    struct list turn; /* among those where somebody waits */
};

struct val_gate {
    unsigned in_all, per_account, per_name;
    uint8_t key[KEY_BYTES]; /* so that nobody can choose a name that meets another's */
    pthread_mutex_t lock;   /* guards what follows */
    unsigned running;
    struct list turns; /* the lines where somebody waits: the first is next */
    size_t waiting;    /* how many those are */
    struct line lines[LINES];
    unsigned names[NAMES]; /* running */
};

bool val_gate_make(const struct world *world, unsigned in_all, unsigned per_account, unsigned per_name,
                   struct val_gate **out)
{
    struct val_gate *gate = calloc(1, sizeof *gate);
    TRY(gate != NULL);
    gate->in_all = in_all > 0 ? in_all : UINT_MAX;
    gate->per_account = per_account > 0 ? per_account : UINT_MAX;
    gate->per_name = per_name > 0 ? per_name : UINT_MAX;
    world_random(world, gate->key, sizeof gate->key);
    pthread_mutex_init(&gate->lock, NULL);
    list_init(&gate->turns);
    for (size_t i = 0; i < LINES; i++)
        gate->lines[i].end = &gate->lines[i].first;
    *out = gate;
    return true;
}

void val_gate_drop(struct val_gate *gate)
{
    if (gate == NULL)
        return;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

static uint32_t hash(const struct val_gate *gate, const char *text)
{
    uint8_t mac[SHA256_BYTES];
    uint32_t value;
    crypto_hmac_sha256(bytes_of(gate->key, KEY_BYTES), bytes_text(text != NULL ? text : ""), mac);
    memcpy(&value, mac, sizeof value);
    return value;
}

static struct line *line_of(struct val_gate *gate, const struct validation *validation)
{
    return &gate->lines[validation->gate_line];
}

static void stand_in(struct val_gate *gate, struct validation *validation)
{
    struct line *line = line_of(gate, validation);
    validation->queued_next = NULL;
    *line->end = validation;
    line->end = &validation->queued_next;
    if (list_holds(&line->turn))
        return;
    list_add(&gate->turns, &line->turn);
    gate->waiting++;
}

static struct validation *take_from(struct val_gate *gate, struct line *line)
{
    if (line->running == gate->per_account)
        return NULL;
    struct validation **at = &line->first;
    for (size_t i = 0; i < LOOK_AHEAD && *at != NULL; i++, at = &(*at)->queued_next) {
        struct validation *found = *at;
        if (gate->names[found->gate_name] == gate->per_name)
            continue;
        *at = found->queued_next;
        if (*at == NULL)
            line->end = at;
        return found;
    }
    return NULL;
}

static struct validation *take_one(struct val_gate *gate)
{
    for (size_t left = gate->running < gate->in_all ? gate->waiting : 0; left > 0; left--) {
        struct line *line = CONTAINER_OF(list_first(&gate->turns), struct line, turn);
        struct validation *found = take_from(gate, line);
        list_remove(&line->turn);
        if (line->first != NULL)
            list_add(&gate->turns, &line->turn);
        else
            gate->waiting--;
        if (found == NULL)
            continue;
        gate->running++;
        line->running++;
        gate->names[found->gate_name]++;
        return found;
    }
    return NULL;
}

static struct validation *take_all(struct val_gate *gate)
{
    struct validation *first = NULL, **end = &first, *next;
    while ((next = take_one(gate)) != NULL) {
        *end = next;
        end = &next->queued_next;
    }
    *end = NULL;
    return first;
}

struct validation *val_gate_enter(struct val_gate *gate, struct validation *validation)
{
    validation->gate_line = hash(gate, validation->account_url) % LINES;
    validation->gate_name = hash(gate, validation->identifier.value) % NAMES;
    validation->asked_ms = monotonic_ms();
    pthread_mutex_lock(&gate->lock);
    stand_in(gate, validation);
    struct validation *may_start = take_all(gate);
    pthread_mutex_unlock(&gate->lock);
    return may_start;
}

struct validation *val_gate_leave(struct val_gate *gate, const struct validation *validation)
{
    pthread_mutex_lock(&gate->lock);
    struct line *line = line_of(gate, validation);
    CHECK(gate->running > 0 && line->running > 0 && gate->names[validation->gate_name] > 0);
    gate->running--;
    line->running--;
    gate->names[validation->gate_name]--;
    struct validation *may_start = take_all(gate);
    pthread_mutex_unlock(&gate->lock);
    return may_start;
}
