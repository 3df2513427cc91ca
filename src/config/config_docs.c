// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include "base/must.h"

#define BROKER_DOC(id, text)
#define TOPIC_DOC(id, text)
#define GROUP_DOC(id, text)

// clang-format off
#undef BROKER_DOC
#define BROKER_DOC(id, text) [CONFIG_##id] = text,
static const char *const broker_docs[CONFIG_KEY_COUNT] = {
#include "config/config_docs.def"
};
#undef BROKER_DOC
#define BROKER_DOC(id, text)

#undef TOPIC_DOC
#define TOPIC_DOC(id, text) [TOPIC_##id] = text,
static const char *const topic_docs[TOPIC_KEY_COUNT] = {
#include "config/config_docs.def"
};
#undef TOPIC_DOC
#define TOPIC_DOC(id, text)

#undef GROUP_DOC
#define GROUP_DOC(id, text) [GROUP_##id] = text,
static const char *const group_docs[GROUP_KEY_COUNT] = {
#include "config/config_docs.def"
};
// clang-format on

// Internal keys have none.
static const char *or_empty(const char *doc)
{
    return doc != NULL ? doc : "";
}

const char *config_doc(enum config_key key)
{
    must((unsigned)key < CONFIG_KEY_COUNT);
    return or_empty(broker_docs[key]);
}

const char *topic_doc(enum topic_key key)
{
    must((unsigned)key < TOPIC_KEY_COUNT);
    return or_empty(topic_docs[key]);
}

const char *group_doc(enum group_key key)
{
    must((unsigned)key < GROUP_KEY_COUNT);
    return or_empty(group_docs[key]);
}
