// SPDX-License-Identifier: Apache-2.0
//
// The messages: every stanza of a package index, keyed by its package's name, and after them some
// of the stanzas once more, so that there are keys with several messages whose order can be seen.
#ifndef INDEX_H
#define INDEX_H

#include <stddef.h>

struct index_message {
    const char *key; // points into the text of the index; not terminated
    size_t key_size;
    const char *value;
    size_t value_size;
    int key_number; // the same for messages of the same key
};

struct index {
    struct index_message *messages; // by sequence number
    int count;
    int stanza_count; // of which are the first; the others are repeated
    int key_count;
    size_t value_bytes; // sum of all values
};

// Reads the file. Returns 0, or -1 when it cannot be read or holds no stanza. Never freed.
int index_read(struct index *index, const char *path);

#endif
