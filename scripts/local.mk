dist_noinst_SCRIPTS += %D%/build %D%/start %D%/layers %D%/tidy %D%/headers %D%/format %D%/lib/packages

# The rules of the house are tests like any other.
TESTS += %D%/check_layers.sh %D%/check_tidy.sh %D%/check_headers.sh %D%/check_format.sh %D%/check_compatibility.sh
EXTRA_DIST += %D%/check_layers.sh %D%/check_tidy.sh %D%/check_headers.sh %D%/check_format.sh %D%/check_compatibility.sh
AM_TESTS_ENVIRONMENT = srcdir='$(abs_top_srcdir)'; builddir='$(abs_top_builddir)'; CC='$(CC)'; \
	export srcdir builddir CC;

# The load generator of scripts/bench: made when asked for.
EXTRA_PROGRAMS += bench-load
bench_load_SOURCES = %D%/bench.d/load/main.c %D%/bench.d/load/clients.c %D%/bench.d/load/clients.h \
	%D%/bench.d/load/wire.c %D%/bench.d/load/wire.h %D%/bench.d/load/fetch.c %D%/bench.d/load/fetch.h \
	%D%/bench.d/load/producers.c %D%/bench.d/load/restart.c %D%/bench.d/load/topics.c %D%/bench.d/load/start.c \
	%D%/bench.d/load/produce.c %D%/bench.d/load/consume.c %D%/bench.d/load/latency.c %D%/bench.d/load/raw.c \
	%D%/bench.d/load/connections.c %D%/bench.d/load/join.c %D%/bench.d/load/join_classic.c %D%/bench.d/load/share.c \
	%D%/bench.d/load/fill.c %D%/bench.d/load/lines.c %D%/bench.d/load/transaction.c
# The least that a broker could do, to compare with.
EXTRA_PROGRAMS += bench-limit
bench_limit_SOURCES = %D%/bench.d/limit.c
# A generator with librdkafka, which only the tests and this need.
EXTRA_PROGRAMS += bench-rdkafka
bench_rdkafka_SOURCES = %D%/bench.d/rdkafka.c
bench_rdkafka_LDADD = -lrdkafka -lpthread
CLEANFILES += bench-load bench-limit bench-rdkafka
dist_noinst_SCRIPTS += %D%/bench %D%/test %D%/soak %D%/compatibility
EXTRA_DIST += %D%/bench.d/README.md %D%/bench.d/brokers/README.md %D%/bench.d/brokers/kfake.json \
	%D%/bench.d/brokers/kfake/go.mod %D%/bench.d/brokers/kfake/go.sum %D%/bench.d/brokers/kfake/main.go \
	%D%/bench.d/brokers/limit.json %D%/bench.d/java/streams.xml %D%/bench.d/lib/bench.py %D%/bench.d/lib/figures.py \
	%D%/bench.d/lib/frames.py %D%/bench.d/lib/java.py %D%/bench.d/lib/memory.py %D%/bench.d/lib/meter.py \
	%D%/bench.d/lib/other.py %D%/bench.d/lib/process.py %D%/bench.d/lib/streams_group.py %D%/bench.d/lib/svg.py \
	%D%/bench.d/lib/text.py %D%/bench.d/workloads/README.md %D%/bench.d/workloads/clean.py \
	%D%/bench.d/workloads/cold.py %D%/bench.d/workloads/commit.py %D%/bench.d/workloads/connect.py \
	%D%/bench.d/workloads/connections.py %D%/bench.d/workloads/consume.py %D%/bench.d/workloads/fsync.py \
	%D%/bench.d/workloads/heartbeats.py %D%/bench.d/workloads/idle.py %D%/bench.d/workloads/latency.py \
	%D%/bench.d/workloads/members.py %D%/bench.d/workloads/partitions.py %D%/bench.d/workloads/produce.py \
	%D%/bench.d/workloads/rdkafka.py %D%/bench.d/workloads/recovery.py %D%/bench.d/workloads/scaling.py \
	%D%/bench.d/workloads/share.py %D%/bench.d/workloads/start.py %D%/bench.d/workloads/streams.py \
	%D%/bench.d/workloads/text.py %D%/bench.d/workloads/together.py %D%/bench.d/workloads/tools.py \
	%D%/bench.d/workloads/topics.py %D%/bench.d/workloads/transaction.py %D%/bench.d/workloads/transaction_memory.py
