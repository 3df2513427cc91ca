// SPDX-License-Identifier: Apache-2.0
// The bit fields of authorised operations (KIP-430): bit n is the ACL operation n. Without an authorizer a client may
// do everything that its resource knows.
#ifndef API_AUTHORIZED_OPERATIONS_H
#define API_AUTHORIZED_OPERATIONS_H

#include <stdint.h>

enum acl_operation {
    ACL_READ = 3,
    ACL_WRITE = 4,
    ACL_CREATE = 5,
    ACL_DELETE = 6,
    ACL_ALTER = 7,
    ACL_DESCRIBE = 8,
    ACL_CLUSTER_ACTION = 9,
    ACL_DESCRIBE_CONFIGS = 10,
    ACL_ALTER_CONFIGS = 11,
    ACL_IDEMPOTENT_WRITE = 12,
};

enum {
    TOPIC_OPERATIONS_ALL = 1 << ACL_READ | 1 << ACL_WRITE | 1 << ACL_CREATE | 1 << ACL_DELETE |
                           1 << ACL_ALTER | 1 << ACL_DESCRIBE | 1 << ACL_DESCRIBE_CONFIGS |
                           1 << ACL_ALTER_CONFIGS,
    CLUSTER_OPERATIONS_ALL = 1 << ACL_CREATE | 1 << ACL_ALTER | 1 << ACL_DESCRIBE |
                             1 << ACL_CLUSTER_ACTION | 1 << ACL_DESCRIBE_CONFIGS |
                             1 << ACL_ALTER_CONFIGS | 1 << ACL_IDEMPOTENT_WRITE,
};

#endif
