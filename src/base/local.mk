libcore_a_SOURCES += \
	%D%/alarm.c %D%/alarm.h \
	%D%/arena.c %D%/arena.h \
	%D%/buf.c %D%/buf.h \
	%D%/bytes.c %D%/bytes.h \
	%D%/clock.h %D%/completion.h \
	%D%/crc32c.c %D%/crc32c.h \
	%D%/crew.c %D%/crew.h \
	%D%/disk.c %D%/disk.h \
	%D%/hashmap.c %D%/hashmap.h \
	%D%/java_order.c %D%/java_order.h \
	%D%/list.h \
	%D%/mem.c %D%/mem.h \
	%D%/must.c %D%/must.h \
	%D%/pattern.c %D%/pattern.h \
	%D%/siphash.c %D%/siphash.h \
	%D%/strbuf.c %D%/strbuf.h \
	%D%/timers.c %D%/timers.h \
	%D%/trace.c %D%/trace.h \
	%D%/uuid.c %D%/uuid.h \
	%D%/workers.c %D%/workers.h \
	%D%/xxh3.c %D%/xxh3.h
libio_a_SOURCES += \
	%D%/clock_posix.c %D%/clock_posix.h \
	%D%/disk_posix.c %D%/disk_posix.h
EXTRA_DIST += %D%/fuzz_main.c %D%/testing.h
if TESTS_POSSIBLE
base_tests = \
	%D%/arena_test \
	%D%/buf_test \
	%D%/bytes_test \
	%D%/crc32c_test \
	%D%/crew_test \
	%D%/disk_test \
	%D%/hashmap_test \
	%D%/java_order_test \
	%D%/mem_test \
	%D%/pattern_test \
	%D%/siphash_test \
	%D%/strbuf_test \
	%D%/timers_test \
	%D%/trace_test \
	%D%/uuid_test \
	%D%/workers_test
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
src_base_disk_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
