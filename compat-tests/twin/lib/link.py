# SPDX-License-Identifier: Apache-2.0
"""What stands between a script and a broker: connections, names, errors. `t` of the twin tests; head of twin/run."""
import os

import topics
import wire


class Link:
    """What a case works with."""

    def __init__(self, broker, kind=None):
        self.broker, self.kind = broker, kind
        self._count = 0
        self._links = []
        self._errors = {code: name for name, code in wire.errors().items()}

    @property
    def bootstrap(self):
        return self.broker.bootstrap

    def connect(self, **options):
        self._links.append(wire.Connection(self.bootstrap, **options))
        return self._links[-1]

    def name(self, prefix="twin"):
        self._count += 1
        return "%s-%d-%d" % (prefix, os.getpid(), self._count)

    def error(self, code):
        return self._errors[code]

    def topic(self, partitions=1, **configs):
        return topics.create(self.connect(), self.name("topic"), partitions,
                             [(key.replace("_", "."), value) for key, value in configs.items()])

    def end_case(self):
        for link in self._links:
            link.close()
        self._links.clear()
