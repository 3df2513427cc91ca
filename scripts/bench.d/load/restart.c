// SPDX-License-Identifier: Apache-2.0
// restart HOST:PORT -- TOPIC COMMAND…: ms from exec to the first acknowledged record on partition 0 of TOPIC; the broker's
// CPU, memory, threads and descriptors then; and the ms of a clean stop. COMMAND must exec the broker.
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire.h"

enum { LIMIT_MS = 300000 };

// The record is acknowledged: 1; another answer, or none: 0.
static int acknowledges(int fd, const struct out *request, size_t topic_size)
{
    size_t size;
    if (write_all(fd, request->data, request->size) != 0)
        return 0;
    uint8_t *answer = read_answer(fd, &size);
    return answer != NULL && size >= 22 + topic_size &&
           get_be16(answer + 4 + 4 + 2 + topic_size + 4 + 4) == 0;
}

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        fail("the broker has no", "clock");
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double resident_mb(pid_t pid)
{
    char path[64];
    long total = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        fail("cannot read", path);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static int count_entries(pid_t pid, const char *folder)
{
    char path[64];
    int count = -2; // . and ..
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, folder);
    DIR *dir = opendir(path);
    if (dir == NULL)
        fail("cannot read", path);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

int run_restart(const char *address, char **args)
{
    const char *topic = args[0];
    struct out request;
    encode_produce(&request, topic, 0, 100, 1, -1, 0);
    double begin = now_ms();
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execvp(args[1], args + 1);
        _exit(127);
    }
    for (int done = 0; !done;) {
        int fd = try_connect(address);
        if (fd >= 0) {
            done = acknowledges(fd, &request, strlen(topic));
            close(fd);
        }
        if (waitpid(child, NULL, WNOHANG) == child)
            fail("ended while starting:", args[1]);
        if (now_ms() - begin > LIMIT_MS)
            fail("no answer from", address);
        if (!done)
            nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    double acknowledged_ms = now_ms() - begin;
    printf("ack_ms=%.2f cpu_seconds=%.3f resident_mb=%.2f threads=%d descriptors=%d ",
           acknowledged_ms, cpu_seconds(child), resident_mb(child), count_entries(child, "task"),
           count_entries(child, "fd"));
    begin = now_ms();
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    printf("stop_ms=%.2f\n", now_ms() - begin);
    return 0;
}
