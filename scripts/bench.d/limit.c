// SPDX-License-Identifier: Apache-2.0
// The least that a broker could do, as a measure for brokers: what comes is written to a file (recv + pwrite), what is asked
// for comes from it (header + sendfile). Nothing is checked, kept in order or kept at all.
//
//     bench-limit PORT DIR
//
// It answers just what the generator in load/ asks: Metadata 1, Produce 7 of one partition, Fetch 11; CreateTopics and
// DeleteTopics with nothing. A thread a connection, blocking; a file for each partition number. Frames are cut out of reads
// of 64 KiB, as a broker would; the answers to all frames of one read leave in one call.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum { FILES_MAX = 10000, ANSWERS_SIZE = 65536, READ_SIZE = 65536, FRAME_MAX = 4 << 20 };

static struct {
    int fd; // -1: not opened yet
    off_t taken, written; // given to writers; what readers may have
} files[FILES_MAX];
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER; // for readers that wait
static int waiting;                                     // how many do
static const char *dir;
static int port;

struct link {
    int fd;
    uint8_t *in; // [at, end) is not taken yet
    size_t at, end;
    uint8_t answers[ANSWERS_SIZE];
    size_t answers_size;
    off_t fetched[FILES_MAX]; // how far this reader got
};

static void put(struct link *link, int64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        link->answers[link->answers_size++] = (uint8_t)(v >> 8 * i);
}

static void put_string(struct link *link, const uint8_t *s, size_t size)
{
    put(link, (int64_t)size, 2);
    memcpy(link->answers + link->answers_size, s, size);
    link->answers_size += size;
}

// An answer is begun without its length; end_answer puts that.
static size_t begin_answer(struct link *link, const uint8_t *frame)
{
    size_t begin = link->answers_size;
    put(link, 0, 4);
    memcpy(link->answers + link->answers_size, frame + 4, 4); // the correlation id
    link->answers_size += 4;
    return begin;
}

static void end_answer(struct link *link, size_t begin, size_t more)
{
    put_be32(link->answers + begin, (uint32_t)(link->answers_size - begin - 4 + more));
}

static bool flush(struct link *link, int flags)
{
    size_t sent = 0;
    while (sent < link->answers_size) {
        ssize_t n = send(link->fd, link->answers + sent, link->answers_size - sent, MSG_NOSIGNAL | flags);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    link->answers_size = 0;
    return true;
}

static int file_of(uint32_t partition)
{
    if (partition >= FILES_MAX)
        exit(1);
    pthread_mutex_lock(&files_lock);
    if (files[partition].fd < 0) {
        char path[512];
        snprintf(path, sizeof path, "%s/%u", dir, partition);
        files[partition].fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    pthread_mutex_unlock(&files_lock);
    return files[partition].fd;
}

// Behind the header: transactional id (null), acks, timeout, one topic, one partition.
static bool produce(struct link *link, const uint8_t *frame, const uint8_t *at)
{
    at += 2 + 2 + 4 + 4;
    const uint8_t *topic = at + 2;
    size_t topic_size = get_be16(at);
    at = topic + topic_size + 4;
    uint32_t partition = get_be32(at), size = get_be32(at + 4);
    int fd = file_of(partition);
    off_t position = __atomic_fetch_add(&files[partition].taken, (off_t)size, __ATOMIC_RELAXED);
    if (pwrite(fd, at + 8, size, position) != (ssize_t)size)
        return false;
    __atomic_fetch_add(&files[partition].written, (off_t)size, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) > 0) {
        pthread_mutex_lock(&files_lock);
        pthread_cond_broadcast(&news);
        pthread_mutex_unlock(&files_lock);
    }
    size_t begin = begin_answer(link, frame);
    put(link, 1, 4);
    put_string(link, topic, topic_size);
    put(link, 1, 4);
    put(link, partition, 4);
    put(link, 0, 2);
    put(link, 0, 8);
    put(link, -1, 8);
    put(link, 0, 8);
    put(link, 0, 4);
    end_answer(link, begin, 0);
    return true;
}

// The first partition of those asked for that has something to give, and how much; 0: none has.
static size_t find_news(const struct link *link, const uint8_t *at, uint32_t count, size_t most, uint32_t *partition)
{
    for (uint32_t i = 0; i < count; i++, at += 28) {
        *partition = get_be32(at);
        off_t left = __atomic_load_n(&files[*partition].written, __ATOMIC_SEQ_CST) - link->fetched[*partition];
        if (left > 0)
            return left > (off_t)most ? most : (size_t)left;
    }
    return 0;
}

static size_t wait_for_news(const struct link *link, const uint8_t *at, uint32_t count, size_t most, uint32_t wait_ms, uint32_t *partition)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    size_t size;
    pthread_mutex_lock(&files_lock);
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    while ((size = find_news(link, at, count, most, partition)) == 0 && pthread_cond_timedwait(&news, &files_lock, &until) == 0)
        ;
    __atomic_fetch_sub(&waiting, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&files_lock);
    return size;
}

// Behind the header: replica, max wait, min bytes, max bytes, isolation, session, epoch, one topic, its partitions: the
// first one that has something to give answers.
static bool fetch(struct link *link, const uint8_t *frame, const uint8_t *at)
{
    uint32_t most = get_be32(at + 12), wait_ms = get_be32(at + 4);
    at += 4 + 4 + 4 + 4 + 1 + 4 + 4 + 4;
    const uint8_t *topic = at + 2;
    size_t topic_size = get_be16(at);
    at = topic + topic_size;
    uint32_t count = get_be32(at), partition = 0;
    at += 4;
    size_t size = find_news(link, at, count, most, &partition);
    if (size == 0) {
        if (!flush(link, 0))
            return false;
        size = wait_for_news(link, at, count, most, wait_ms, &partition);
    }
    size_t begin = begin_answer(link, frame);
    put(link, 0, 4 + 2 + 4);
    put(link, 1, 4);
    put_string(link, topic, topic_size);
    put(link, 1, 4);
    put(link, partition, 4);
    put(link, 0, 2);
    for (int i = 0; i < 3; i++)
        put(link, 0, 8);
    put(link, -1, 4);
    put(link, -1, 4);
    put(link, (int64_t)size, 4);
    end_answer(link, begin, size);
    if (!flush(link, size > 0 ? MSG_MORE : 0))
        return false;
    while (size > 0) {
        ssize_t n = sendfile(link->fd, file_of(partition), &link->fetched[partition], size);
        if (n <= 0)
            return false;
        size -= (size_t)n;
    }
    return true;
}

static void metadata(struct link *link, const uint8_t *frame)
{
    size_t begin = begin_answer(link, frame);
    put(link, 1, 4);
    put(link, 1, 4);
    put_string(link, (const uint8_t *)"127.0.0.1", 9);
    put(link, port, 4);
    put(link, -1, 2);
    put(link, 1, 4);
    put(link, 0, 4);
    end_answer(link, begin, 0);
}

static bool take(struct link *link, const uint8_t *frame)
{
    const uint8_t *body = frame + 8 + 2 + get_be16(frame + 8);
    switch (get_be16(frame)) {
    case 0:
        return produce(link, frame, body);
    case 1:
        return fetch(link, frame, body);
    case 3:
        metadata(link, frame);
        return true;
    default:
        return false;
    }
}

static void *serve(void *arg)
{
    struct link *link = arg;
    for (;;) {
        ssize_t n = recv(link->fd, link->in + link->end, READ_SIZE, 0);
        if (n <= 0)
            break;
        link->end += (size_t)n;
        bool ok = true;
        while (ok && link->end - link->at >= 4) {
            size_t size = get_be32(link->in + link->at);
            if (size > FRAME_MAX)
                exit(1);
            if (link->end - link->at < 4 + size)
                break;
            ok = take(link, link->in + link->at + 4);
            link->at += 4 + size;
        }
        if (!ok || !flush(link, 0))
            break;
        memmove(link->in, link->in + link->at, link->end - link->at);
        link->end -= link->at;
        link->at = 0;
    }
    close(link->fd);
    free(link->in);
    free(link);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: bench-limit PORT DIR\n"), 2;
    port = atoi(argv[1]);
    dir = argv[2];
    for (int i = 0; i < FILES_MAX; i++)
        files[i].fd = -1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1024) != 0)
        return perror("bench-limit"), 1;
    for (;;) {
        struct link *link = calloc(1, sizeof *link);
        link->fd = accept(listener, NULL, NULL);
        link->in = malloc(FRAME_MAX + READ_SIZE + 4);
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_t thread;
        pthread_create(&thread, NULL, serve, link);
        pthread_detach(thread);
    }
}
