/* bench_seed COUNT <EXPORT >LARGER-EXPORT: the export of a store with one certificate, with COUNT of its kind in its
 * place: each with a serial, a name, a key and days of its own, spread over the last 60 days and in the order of time,
 * as they would have come. Their signatures do not fit; nothing that is measured looks at them. The certificate's name
 * is seed-0000000000 and something behind it. */
#include "storage/fields.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/world.h"

#include <inttypes.h>
#include <stdio.h>

enum { ARENA_MAX = 16 << 20, LINE_MAX_BYTES = 1 << 20, SERIAL_BYTES = 16, SERIAL_TIME_BYTES = 6, KEY_HASH_BYTES = 32 };
enum { NAME_DIGITS = 10 };
#define DAY_MS      INT64_C(86400000)
#define SPREAD_MS   (60 * DAY_MS)
#define LIFETIME_MS (90 * DAY_MS)

static const char first_name[] = "seed-0000000000";

struct seed {
    struct arena *arena;
    struct buf line;
    int64_t now_ms;
    uint64_t count, lines;
};

static int complain(const char *what)
{
    fprintf(stderr, "bench_seed: %s\n", what);
    return EXIT_FAILURE;
}

static uint8_t *find(struct bytes in, const void *what, size_t len)
{
    return memmem(in.data, in.len, what, len);
}

/* The parts of the template that differ from certificate to certificate, as places in its own memory. */
struct places {
    uint8_t *der_serial, *der_name;
    char *name;
    uint8_t key_hash[KEY_HASH_BYTES];
    char serial[2 * SERIAL_BYTES + 1];
};

static bool find_places(struct seed *seed, struct certificate *certificate, struct places *out)
{
    struct bytes serial;
    size_t digits_at = sizeof first_name - 1 - NAME_DIGITS;
    TRY(hex_decode(seed->arena, bytes_text(certificate->serial), &serial) && serial.len == SERIAL_BYTES);
    TRY(certificate->identifiers.count == 1 && certificate->der.len > 0);
    out->der_serial = find(certificate->der, serial.data, serial.len);
    out->der_name = find(certificate->der, first_name, sizeof first_name - 1);
    out->name = arena_text(seed->arena, certificate->identifiers.items[0].value);
    TRY(out->der_serial != NULL && out->der_name != NULL && out->name != NULL);
    TRY(strncmp(out->name, first_name, sizeof first_name - 1) == 0);
    out->der_name += digits_at;
    certificate->identifiers.items[0].value = out->name;
    out->name += digits_at;
    certificate->key_hash = bytes_of(out->key_hash, sizeof out->key_hash);
    certificate->serial = out->serial;
    return true;
}

static void write_serial(struct places *places, int64_t ms)
{
    for (int i = 0; i < SERIAL_TIME_BYTES; i++)
        places->der_serial[i] = (uint8_t)(ms >> 8 * (SERIAL_TIME_BYTES - 1 - i));
    world_random(world_real(), places->der_serial + SERIAL_TIME_BYTES, SERIAL_BYTES - SERIAL_TIME_BYTES);
    AUTO_BUF(hex, 2 * SERIAL_BYTES + 1);
    buf_hex(&hex, bytes_of(places->der_serial, SERIAL_BYTES));
    memcpy(places->serial, buf_str(&hex), sizeof places->serial);
}

static void write_record(struct seed *seed, const struct certificate *certificate)
{
    struct json_out out = JSON_OUT(&seed->line, 0);
    buf_clear(&seed->line);
    json_out_object(&out, NULL);
    record_to_json(&out, "certificate", &record_type_certificate, certificate);
    json_out_end_object(&out);
    puts(buf_str(&seed->line));
    seed->lines++;
}

static bool multiply(struct seed *seed, const json_t *value)
{
    char why[JSON_WHY_SIZE] = "";
    struct certificate certificate;
    struct places places;
    TRY(record_from_json(seed->arena, &record_type_certificate, value, &certificate, why));
    TRY(find_places(seed, &certificate, &places));
    for (uint64_t i = 1; i <= seed->count; i++) {
        char digits[NAME_DIGITS + 1];
        int64_t at_ms = seed->now_ms - SPREAD_MS + (int64_t)(i * SPREAD_MS / seed->count);
        snprintf(digits, sizeof digits, "%0*" PRIu64, NAME_DIGITS, i % UINT64_C(10000000000));
        memcpy(places.der_name, digits, NAME_DIGITS);
        memcpy(places.name, digits, NAME_DIGITS);
        world_random(world_real(), places.key_hash, sizeof places.key_hash);
        write_serial(&places, at_ms);
        certificate.not_before_ms = at_ms;
        certificate.not_after_ms = at_ms + LIFETIME_MS;
        write_record(seed, &certificate);
        TRY(!seed->line.failed);
    }
    return true;
}

static bool take_line(struct seed *seed, struct bytes text)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) line = json_read_object(text, why);
    TRY(line != NULL);
    if (json_object_get(line, "end") != NULL) {
        printf("{\"end\":{\"records\":%" PRIu64 "}}\n", seed->lines);
        return true;
    }
    const json_t *certificate = json_object_get(line, "certificate");
    if (certificate != NULL)
        return multiply(seed, certificate);
    printf("%.*s\n", (int)text.len, (const char *)text.data);
    seed->lines += json_object_get(line, "export") == NULL;
    return true;
}

int main(int argc, char **argv)
{
    static char text[LINE_MAX_BYTES];
    struct seed seed = { .arena = arena_create(ARENA_MAX), .line = BUF_INIT(LINE_MAX_BYTES) };
    if (argc != 2 || seed.arena == NULL)
        return complain("usage: bench_seed COUNT <EXPORT >LARGER-EXPORT");
    seed.count = strtoull(argv[1], NULL, 10);
    seed.now_ms = world_now_ms(world_real());
    bool fits = true;
    while (fits && fgets(text, sizeof text, stdin) != NULL)
        fits = take_line(&seed, bytes_of(text, strcspn(text, "\n")));
    buf_free(&seed.line);
    arena_drop(seed.arena);
    return fits && fflush(stdout) == 0 ? EXIT_SUCCESS
                                       : complain("this is no export of one certificate for seed-0000000000");
}
