# SPDX-License-Identifier: Apache-2.0
"""as much as goes, five requests in flight: partitions, batches, codecs, acks, producers, one record a request"""
from bench import load
from figures import cost

GROUP = "throughput"
QUICK = ("produce", "produce-12", "produce-1000", "produce-900k", "produce-lz4", "produce-zstd", "produce-100b",
         "produce-single", "produce-acks-all", "produce-idempotent")


def shape(partitions=1, share=1.0, record=1024, batch=16384, acks=1, codec=0, producers=1, idempotent=0):
    """`share`: of --megabytes; `codec`: gzip 1, snappy 2, lz4 3, zstd 4, of text."""
    return locals()


SHAPES = {
    "produce": shape(),
    "produce-12": shape(partitions=12),
    "produce-1000": shape(partitions=1000),
    "produce-900k": shape(share=2.0, batch=900 << 10),
    "produce-100k-records": shape(share=2.0, record=100 << 10, batch=900 << 10),
    "produce-100b": shape(share=0.3, record=100),
    "produce-single": shape(share=0.02, record=100, batch=1),
    "produce-gzip": shape(share=0.3, codec=1),
    "produce-snappy": shape(share=0.5, codec=2),
    "produce-lz4": shape(share=0.5, codec=3),
    "produce-zstd": shape(share=0.5, codec=4),
    "produce-acks-0": shape(acks=0),
    "produce-acks-all": shape(acks=-1),
    "produce-idempotent": shape(acks=-1, idempotent=1),
    "produce-50-producers": shape(partitions=50, producers=50),
}


def run(bench):
    for name, s in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic = f"{name}-{i}"
            bench.topic(one, topic, s["partitions"])
            megabytes = max(1, int(bench.args.megabytes * s["share"]))
            arguments = (s["record"], s["batch"], s["acks"], 5, s["codec"], s["producers"], s["idempotent"])
            if s["partitions"] >= 1000:  # the first batch of a partition makes its files: that is another workload
                load("produce", one.bootstrap, topic, s["partitions"], s["partitions"] * s["batch"] // 1000000 + 1, *arguments)
            figures = bench.measured(one, "produce", one.bootstrap, topic, s["partitions"], megabytes, *arguments)
            bench.note(name, kind, megabytes_per_second=figures["megabytes_per_second"],
                       requests_per_second=figures["requests_per_second"], **cost(figures, "requests", "records"))
            bench.drop_topic(one, topic)
