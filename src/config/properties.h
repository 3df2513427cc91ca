// SPDX-License-Identifier: Apache-2.0
// Java's .properties files: server.properties, meta.properties, config providers' files.
//
//     # a comment, or ! a comment
//     key=value        key: value        key value        key
//     long = first \...      a backslash at the end of a line (here \...) goes on in the next
//     odd\ key\:x = \u00e9\t          escapes: \uXXXX \t \n \r \f, else the character itself
//
// Bytes are ISO-8859-1, as Properties.load(InputStream) reads them; keys and values here are UTF-8.
// Invariants:
// (1) A key is there once, with the value that came last, at the place where it came first.
// (2) White space at the end of a value belongs to it (who parses the value trims it).
#ifndef CONFIG_PROPERTIES_H
#define CONFIG_PROPERTIES_H

#include "base/bytes.h"
#include "base/strbuf.h"

struct property {
    char *name;
    char *value;
};

struct properties {
    struct property *items;
    size_t count;
    size_t capacity;
};

#define PROPERTIES_EMPTY ((struct properties){ NULL, 0, 0 })

void properties_fini(struct properties *p);
// Adds what `text` says. False, with a message "line N: …" appended, on a malformed \u; what came
// before it stays.
bool properties_parse(struct properties *p, struct str text, struct strbuf *message);
void properties_set(struct properties *p, struct str name, struct str value);
const char *properties_get(const struct properties *p, const char *name); // NULL: not there
// As Properties.store writes it, without its comment lines.
void properties_format(const struct properties *p, struct strbuf *out);

#endif
