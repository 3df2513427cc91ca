// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without a fuzzer, in `make check`: every file of the corpus folders given,
// each also with every truncation (of small ones) and a fixed number of pseudo-random mutations.
// Same input, same run.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATIONS = 400, TRUNCATE_BELOW = 2048 };

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// A copy of the exact size, so that a sanitizer sees any read past the end.
static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    static uint8_t data[1 << 20], mutated[1 << 20];
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    run_exact(data, size);
    if (size < TRUNCATE_BELOW)
        for (size_t n = 0; n < size; n++)
            run_exact(data, n);
    for (int i = 0; i < MUTATIONS && size > 0; i++) {
        memcpy(mutated, data, size);
        for (uint64_t n = 1 + next_random() % 4; n > 0; n--)
            mutated[next_random() % size] =
                (uint8_t)(next_random() % 3 == 0 ? 0xff : next_random());
        run_exact(mutated, size);
    }
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) != 0) {
            perror(argv[i]);
            return 1;
        }
        if (!S_ISDIR(st.st_mode)) {
            run_file(argv[i]);
            files++;
            continue;
        }
        struct dirent **names;
        int count = scandir(argv[i], &names, NULL, alphasort);
        for (int k = 0; k < count; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], names[k]->d_name);
            if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
                run_file(path);
                files++;
            }
            free(names[k]);
        }
        free(names);
    }
    printf("%d corpus files\n", files);
    return files == 0;
}
