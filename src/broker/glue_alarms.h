// SPDX-License-Identifier: Apache-2.0
// Alarms (base/alarm.h) driven by a reactor: rung on its thread, at their time. Whoever sets an earlier one from
// another thread sends the reactor a message, once until it is delivered.
#ifndef BROKER_GLUE_ALARMS_H
#define BROKER_GLUE_ALARMS_H

#include <stdatomic.h>

#include "base/alarm.h"
#include "net/reactor.h"

struct alarm_driver {
    struct alarms alarms;
    struct reactor *_reactor;
    struct timer _timer;
    struct message _message;
    atomic_bool _is_posted;
};

void alarm_driver_init(struct alarm_driver *driver, struct reactor *reactor);
// When the reactor has stopped and nobody sets alarms any more.
void alarm_driver_fini(struct alarm_driver *driver);

#endif
