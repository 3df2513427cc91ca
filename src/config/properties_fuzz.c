// SPDX-License-Identifier: Apache-2.0
// Any bytes as a properties file: no crash, and what was read is read again from what is written.
#include "config/properties.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct properties p = PROPERTIES_EMPTY, again = PROPERTIES_EMPTY;
    struct strbuf message = STRBUF_EMPTY, out = STRBUF_EMPTY;
    bool ok = properties_parse(&p, (struct str){ (const char *)data, size }, &message);
    must(ok == (message.size == 0));
    properties_format(&p, &out);
    must(properties_parse(&again, strbuf_str(&out), &message));
    for (size_t i = 0; i < p.count; i++) {
        const char *value = properties_get(&again, p.items[i].name);
        must(value != NULL && strcmp(value, p.items[i].value) == 0);
    }
    strbuf_fini(&message);
    strbuf_fini(&out);
    properties_fini(&p);
    properties_fini(&again);
    return 0;
}
