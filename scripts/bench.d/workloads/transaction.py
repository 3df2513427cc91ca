# SPDX-License-Identifier: Apache-2.0
"""transactions of 1 and of 100 records, one after the other, as clients of transaction version 2 make them"""
import producer
import wire

# name: records of a transaction
SHAPES = {"transaction-1": 1, "transaction-100": 100}
COUNT = 3000
RECORD_BYTES = 100


class Clients:
    """What producer.Producer wants: a way to the broker and names of errors."""

    def __init__(self, one):
        self.one = one
        self.errors = {code: name for name, code in wire.errors().items()}

    def connect(self):
        return wire.Connection(self.one.bootstrap)

    def error(self, code):
        return self.errors[code]


def run(bench):
    for name, records in SHAPES.items():
        for i, kind in bench.turns():
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic)
            producer.Producer(Clients(one), topic).init() # the coordinator is there, and has producer ids
            bench.measured(one, "transaction", one.bootstrap, topic, topic, COUNT, records, RECORD_BYTES) # to warm it
            figures = bench.measured(one, "transaction", one.bootstrap, topic, topic, COUNT, records, RECORD_BYTES)
            bench.note(name, kind, cpu_ms_per_transaction=figures["cpu_seconds"] / figures["transactions"] * 1e3,
                       transactions_per_second=figures["transactions_per_second"])
            bench.drop_topic(one, topic)
