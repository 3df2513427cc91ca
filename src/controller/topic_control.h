// SPDX-License-Identifier: Apache-2.0
// Topics made, deleted and given more partitions. Each fills its response; an answer that is not ANSWER_OK speaks for
// the whole request (the response is then filled by the caller for every topic of it).
#ifndef CONTROLLER_TOPIC_CONTROL_H
#define CONTROLLER_TOPIC_CONTROL_H

#include "controller/evaluation.h"
#include "protocol/messages/create_partitions.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"

struct answer create_topics(struct evaluation *evaluation,
                            const struct create_topics_request *request,
                            struct create_topics_response *response);
struct answer delete_topics(struct evaluation *evaluation, int16_t version,
                            const struct delete_topics_request *request,
                            struct delete_topics_response *response);
struct answer create_partitions(struct evaluation *evaluation,
                                const struct create_partitions_request *request,
                                struct create_partitions_response *response);

#endif
