// SPDX-License-Identifier: Apache-2.0
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"

void strbuf_fini(struct strbuf *s)
{
    mem_free(s->data);
    *s = STRBUF_EMPTY;
}

void strbuf_add(struct strbuf *s, const void *data, size_t size)
{
    vec_reserve(s->data, s->size + size + 1, s->capacity);
    if (size > 0)
        memcpy(s->data + s->size, data, size);
    s->size += size;
    s->data[s->size] = '\0';
}

void strbuf_addz(struct strbuf *s, const char *text)
{
    strbuf_add(s, text, strlen(text));
}

void strbuf_add_char(struct strbuf *s, char c)
{
    strbuf_add(s, &c, 1);
}

void strbuf_printf(struct strbuf *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(length >= 0);
    vec_reserve(s->data, s->size + (size_t)length + 1, s->capacity);
    vsnprintf(s->data + s->size, (size_t)length + 1, format, again);
    va_end(again);
    s->size += (size_t)length;
}

struct str strbuf_str(const struct strbuf *s)
{
    return s->data == NULL ? (struct str){ "", 0 } : (struct str){ s->data, s->size };
}
