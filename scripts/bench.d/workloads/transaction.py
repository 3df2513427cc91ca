# SPDX-License-Identifier: Apache-2.0
"""transactions of 1 and of 100 records, one after the other, as clients of transaction version 2 make them"""
import producer
import wire
from bench import load
from figures import cost

GROUP = "groups"
QUICK = ("transaction-1", "transaction-100")

# name: records of a transaction
SHAPES = {"transaction-1": 1, "transaction-100": 100}
WARM_COUNT, SECONDS = 500, 3
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
    for name, records in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic)
            producer.Producer(Clients(one), topic).init()  # the coordinator is there, and has producer ids
            warm = load("transaction", one.bootstrap, topic, topic, WARM_COUNT, records, RECORD_BYTES)
            count = int(warm["transactions_per_second"] * SECONDS)
            figures = bench.measured(one, "transaction", one.bootstrap, topic, topic, count, records, RECORD_BYTES)
            bench.note(name, kind, transactions_per_second=figures["transactions_per_second"], **cost(figures, "transactions"))
            bench.drop_topic(one, topic)
