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
	%D%/bench.d/load/fill.c %D%/bench.d/load/transaction.c
# The least that a broker could do, to compare with.
EXTRA_PROGRAMS += bench-limit
bench_limit_SOURCES = %D%/bench.d/limit.c
CLEANFILES += bench-load bench-limit
dist_noinst_SCRIPTS += %D%/bench %D%/test %D%/soak %D%/compatibility
EXTRA_DIST += %D%/bench.d/lib/bench.py %D%/bench.d/lib/memory.py %D%/bench.d/lib/other.py \
	%D%/bench.d/lib/process.py %D%/bench.d/brokers/README.md %D%/bench.d/brokers/kfake.json \
	%D%/bench.d/brokers/kfake/go.mod %D%/bench.d/brokers/kfake/go.sum %D%/bench.d/brokers/kfake/main.go \
	%D%/bench.d/brokers/limit.json %D%/bench.d/workloads/README.md \
	%D%/bench.d/workloads/clean.py %D%/bench.d/workloads/consume.py %D%/bench.d/workloads/idle.py %D%/bench.d/workloads/latency.py %D%/bench.d/workloads/produce.py \
	%D%/bench.d/workloads/start.py %D%/bench.d/workloads/cold.py %D%/bench.d/workloads/fsync.py \
	%D%/bench.d/workloads/partitions.py %D%/bench.d/workloads/recovery.py %D%/bench.d/workloads/topics.py \
	%D%/bench.d/workloads/transaction.py
