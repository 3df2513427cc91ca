// SPDX-License-Identifier: Apache-2.0
// start HOST:PORT -- COMMAND…: ms from exec to the first Metadata answer that names a broker, and of a clean stop.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wire.h"

enum { START_LIMIT_MS = 60000 };

static int names_a_broker(int fd)
{
    uint8_t bytes[64];
    struct out out = { bytes, 0 };
    begin_request(&out, METADATA, 1);
    add_int(&out, 0, 4);
    end_request(&out);
    size_t size;
    if (write_all(fd, out.data, out.size) != 0)
        return 0;
    uint8_t *answer = read_answer(fd, &size);
    return answer != NULL && size >= 8 && get_be32(answer + 4) > 0;
}

int run_start(const char *address, char **command)
{
    double begin = now_ms();
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execvp(command[0], command);
        _exit(127);
    }
    for (;;) {
        int fd = try_connect(address);
        if (fd >= 0) {
            int ready = names_a_broker(fd);
            close(fd);
            if (ready)
                break;
        }
        if (waitpid(child, NULL, WNOHANG) == child)
            fail("ended while starting:", command[0]);
        if (now_ms() - begin > START_LIMIT_MS)
            fail("no answer from", address);
        nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    double ready_ms = now_ms() - begin;
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    printf("ready_ms=%.2f stop_ms=%.2f\n", ready_ms, now_ms() - begin - ready_ms);
    return 0;
}
