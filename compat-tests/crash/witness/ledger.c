// SPDX-License-Identifier: Apache-2.0
#include "ledger.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ledger {
    int fd;
    const volatile uint64_t *counter; // of faults.so, shared
};

struct ledger *ledger_create(const char *path, const char *counter_path)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    ledger->fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
    if (ledger->fd < 0)
        err(2, "%s", path);
    if (counter_path != NULL) {
        int fd = open(counter_path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            err(2, "%s", counter_path);
        void *at = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            err(2, "%s", counter_path);
        ledger->counter = at;
        close(fd);
    }
    return ledger;
}

uint64_t ledger_call(const struct ledger *ledger)
{
    return ledger->counter == NULL ? 0 : *ledger->counter;
}

void ledger_add(struct ledger *ledger, struct entry entry)
{
    entry.call = ledger_call(ledger);
    // O_APPEND: entries of several threads do not mix.
    if (write(ledger->fd, &entry, sizeof entry) != (ssize_t)sizeof entry)
        err(2, "the ledger cannot be written");
}

void ledger_close(struct ledger *ledger)
{
    close(ledger->fd);
    free(ledger);
}

struct entries ledger_read(const char *path, uint64_t upto_call)
{
    struct entries entries = { NULL, 0 };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        err(2, "%s", path);
    entries.items = malloc((size_t)st.st_size + 1);
    if (read(fd, entries.items, (size_t)st.st_size) != st.st_size)
        err(2, "%s", path);
    close(fd);
    entries.count = (size_t)st.st_size / sizeof(struct entry);
    for (size_t i = 0; i < entries.count; i++)
        if (entries.items[i].call > upto_call)
            entries.items[i].outcome = OUTCOME_ASKED;
    return entries;
}
