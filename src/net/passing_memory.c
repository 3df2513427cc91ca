// SPDX-License-Identifier: Apache-2.0
#include "net/passing_memory.h"

#include "base/must.h"
#include "net/reactor.h"

enum {
    ENOUGH_BYTES = 1 << 20, // less is not worth a timer
    QUIET_BYTES = 64 << 10, // at most, in QUIET_US
    QUIET_US = 1000000,
};

static void wait_for_quiet(struct passing_memory *memory)
{
    memory->_recent = 0;
    reactor_set_timer(memory->_reactor, &memory->_quiet_timer,
                      reactor_now_us(memory->_reactor) + QUIET_US);
}

static void on_quiet_timer(struct timer *timer)
{
    struct passing_memory *memory = container_of(timer, struct passing_memory, _quiet_timer);
    if (memory->_recent > QUIET_BYTES) {
        wait_for_quiet(memory);
        return;
    }
    memory->_bytes = 0;
    memory->_give_back();
}

void passing_memory_init(struct passing_memory *memory, void (*give_back)(void))
{
    *memory = (struct passing_memory){ ._give_back = give_back };
    timer_init(&memory->_quiet_timer, on_quiet_timer);
}

void passing_memory_note(struct passing_memory *memory, struct reactor *reactor, size_t size)
{
    memory->_bytes += size;
    if (memory->_bytes >= ENOUGH_BYTES && !timer_is_set(&memory->_quiet_timer)) {
        memory->_reactor = reactor;
        wait_for_quiet(memory);
    }
    memory->_recent += size;
}
