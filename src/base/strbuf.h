// SPDX-License-Identifier: Apache-2.0
// A growing byte string: text files, messages, JSON.
// Invariant: once anything was appended, data[size] is NUL.
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/bytes.h"

struct strbuf {
    char *data; // NULL while nothing was appended
    size_t size;
    size_t capacity;
};

#define STRBUF_EMPTY ((struct strbuf){ NULL, 0, 0 })

void strbuf_fini(struct strbuf *s);
void strbuf_add(struct strbuf *s, const void *data, size_t size);
void strbuf_addz(struct strbuf *s, const char *text);
void strbuf_add_char(struct strbuf *s, char c);
void strbuf_printf(struct strbuf *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str strbuf_str(const struct strbuf *s); // borrowed; "" when empty

#endif
