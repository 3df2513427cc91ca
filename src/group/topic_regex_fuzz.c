// SPDX-License-Identifier: Apache-2.0
// Any bytes as a regular expression: it is refused with a reason, or answers for some names. Nothing may crash or take
// long.
#include "base/must.h"
#include "group/topic_regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "", "a", "foo", "a.b-c_1",
                                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    const char *reason = NULL;
    struct topic_regex *regex =
        topic_regex_compile((struct str){ (const char *)data, size }, &reason);
    must(regex != NULL || reason != NULL);
    for (size_t i = 0; regex != NULL && i < sizeof names / sizeof *names; i++)
        topic_regex_matches(regex, str_of(names[i]));
    topic_regex_free(regex);
    return 0;
}
