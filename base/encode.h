/* Texts for bytes, with a strict decoder where we read them: base64url without padding (RFC 4648 §5, RFC 7515 §2),
 * hexadecimal in lower case, and base32 in lower case without padding, in its own alphabet (§6) and in the
 * order-preserving "extended hex" alphabet (§7). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define B64URL_LEN(bytes) (((bytes)*4 + 2) / 3)

void buf_b64url(struct buf *buf, struct bytes bytes);
void buf_hex(struct buf *buf, struct bytes bytes);
void buf_base32(struct buf *buf, struct bytes bytes);
void buf_base32hex(struct buf *buf, struct bytes bytes);

/* Text of `bytes` in the arena; NULL when memory is out. */
MUST_USE char *arena_b64url(struct arena *arena, struct bytes bytes);
MUST_USE char *arena_hex(struct arena *arena, struct bytes bytes);

/* Decodes into the arena. False for a foreign character, a lone last character, non-zero left-over bits, padding
 * (use b64url_trim_padding first where a client is known to pad), or when memory is out. */
MUST_USE bool b64url_decode(struct arena *arena, struct bytes text, struct bytes *out);
MUST_USE bool hex_decode(struct arena *arena, struct bytes text, struct bytes *out);

/* The view without up to two trailing '='. */
struct bytes b64url_trim_padding(struct bytes text);
