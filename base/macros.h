/* Words every file of the house uses: attributes, ownership, early return, invariants. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))

/* What holds the member that is pointed to. */
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(uintptr_t)(pointer)-offsetof(type, member)))

/* An invariant of ours that only a bug of ours can break. Stays on in release builds; prints and aborts.
 * Never for what a client, a network answer or a full disk can cause. */
#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (__builtin_expect(!(expr), 0))                                                                              \
            check_failed(#expr, __FILE__, __LINE__, __func__);                                                         \
    } while (0)
__attribute__((noreturn)) void check_failed(const char *expr, const char *file, int line, const char *func);

/* Leaves the function with false when `expr` is false: the only macro that may return. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        if (!(expr))                                                                                                   \
            return false;                                                                                              \
    } while (0)

/* Moves ownership out of a variable: evaluates to its value and leaves NULL behind. */
#define TAKE(p)                                                                                                        \
    ({                                                                                                                 \
        __auto_type take_value_ = (p);                                                                                 \
        (p) = NULL;                                                                                                    \
        take_value_;                                                                                                   \
    })

/* `AUTO(order) o = …;` calls order_drop(o) on every exit; drops take NULL. DEFINE_DROP stands once behind a type.
 * AUTO_TYPE and DEFINE_DROP_TYPE do the same for typedefs of libraries (EVP_PKEY, json_t, char). */
#define AUTO(type) __attribute__((cleanup(type##_auto_drop_))) struct type *
#define DEFINE_DROP(type, drop)                                                                                        \
    static inline void type##_auto_drop_(struct type **p)                                                              \
    {                                                                                                                  \
        drop(*p);                                                                                                      \
    }
#define AUTO_TYPE(type) __attribute__((cleanup(type##_auto_drop_))) type *
#define DEFINE_DROP_TYPE(type, drop)                                                                                   \
    static inline void type##_auto_drop_(type **p)                                                                     \
    {                                                                                                                  \
        drop(*p);                                                                                                      \
    }
static inline void char_drop_(char *p)
{
    free(p);
}
DEFINE_DROP_TYPE(char, char_drop_)
