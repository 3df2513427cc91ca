// SPDX-License-Identifier: Apache-2.0
#include "index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATED_MAX = 10000 };

static char *file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size)
        return NULL;
    text[size] = '\0';
    fclose(file);
    return text;
}

static void message_add(struct index *index, struct index_message message)
{
    // Grows by doubling: a power of two is full.
    if ((index->count & (index->count - 1)) == 0) {
        size_t room = index->count == 0 ? 1 : (size_t)index->count * 2;
        index->messages = realloc(index->messages, room * sizeof message);
        if (index->messages == NULL)
            abort();
    }
    index->messages[index->count++] = message;
    index->value_bytes += message.value_size;
}

static int by_key(const void *one, const void *two)
{
    const struct index_message *a = *(const struct index_message *const *)one;
    const struct index_message *b = *(const struct index_message *const *)two;
    size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, size);
    return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static void keys_number(struct index *index)
{
    struct index_message **sorted = malloc((size_t)index->count * sizeof *sorted);
    if (sorted == NULL)
        abort();
    for (int i = 0; i < index->count; i++)
        sorted[i] = &index->messages[i];
    qsort(sorted, (size_t)index->count, sizeof *sorted, by_key);
    for (int i = 0; i < index->count; i++) {
        if (i == 0 || by_key(&sorted[i - 1], &sorted[i]) != 0)
            index->key_count++;
        sorted[i]->key_number = index->key_count - 1;
    }
    free(sorted);
}

int index_read(struct index *index, const char *path)
{
    memset(index, 0, sizeof *index);
    char *text = file_read(path);
    if (text == NULL)
        return -1;
    // Stanzas are parted by an empty line; each begins with its package's name.
    for (char *stanza = text; *stanza != '\0';) {
        char *end = strstr(stanza, "\n\n");
        size_t size = end != NULL ? (size_t)(end - stanza) + 1 : strlen(stanza);
        if (strncmp(stanza, "Package: ", 9) == 0) {
            const char *key = stanza + 9;
            message_add(index, (struct index_message){.key = key,
                                                      .key_size = strcspn(key, "\n"),
                                                      .value = stanza,
                                                      .value_size = size});
        }
        stanza += size;
        stanza += strspn(stanza, "\n");
    }
    index->stanza_count = index->count;
    for (int i = 0; i < index->stanza_count && i < REPEATED_MAX; i++)
        message_add(index, index->messages[i]);
    keys_number(index);
    return index->count > 0 ? 0 : -1;
}
