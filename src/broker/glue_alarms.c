// SPDX-License-Identifier: Apache-2.0
// Tested by network_test.c.
#include "broker/glue_alarms.h"

static void rearm(struct alarm_driver *driver)
{
    int64_t next_us = alarms_next_us(&driver->alarms);
    if (next_us == INT64_MAX)
        reactor_cancel_timer(driver->_reactor, &driver->_timer);
    else
        reactor_set_timer(driver->_reactor, &driver->_timer, next_us);
}

static void on_timer(struct timer *timer)
{
    struct alarm_driver *driver = container_of(timer, struct alarm_driver, _timer);
    alarms_run(&driver->alarms, reactor_now_us(driver->_reactor));
    rearm(driver);
}

static void on_message(struct message *message)
{
    struct alarm_driver *driver = container_of(message, struct alarm_driver, _message);
    atomic_store(&driver->_is_posted, false); // before looking: what is set from now on posts again
    rearm(driver);
}

static void on_earlier(void *arg)
{
    struct alarm_driver *driver = arg;
    if (!atomic_exchange(&driver->_is_posted, true))
        reactor_post(driver->_reactor, &driver->_message);
}

void alarm_driver_init(struct alarm_driver *driver, struct reactor *reactor)
{
    driver->_reactor = reactor;
    driver->_message.deliver = on_message;
    atomic_init(&driver->_is_posted, false);
    timer_init(&driver->_timer, on_timer);
    alarms_init(&driver->alarms, on_earlier, driver);
}

void alarm_driver_fini(struct alarm_driver *driver)
{
    alarms_fini(&driver->alarms);
}
