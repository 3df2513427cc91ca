# Units of this folder: streams groups (KIP-1071).
libcore_a_SOURCES += \
	%D%/streams_assignor.c %D%/streams_assignor.h \
	%D%/streams_beat.c %D%/streams_beat.h \
	%D%/streams_configure.c \
	%D%/streams_describe.c %D%/streams_describe.h \
	%D%/streams_group.c %D%/streams_group.h \
	%D%/streams_groups.c %D%/streams_groups.h \
	%D%/streams_reconcile.c %D%/streams_reconcile.h \
	%D%/streams_records.c %D%/streams_records.h \
	%D%/streams_session.c %D%/streams_session.h \
	%D%/streams_target.c %D%/streams_target.h \
	%D%/streams_tasks.c %D%/streams_tasks.h \
	%D%/streams_topology.c %D%/streams_topology.h
EXTRA_DIST += %D%/testing_streams.h
if TESTS_POSSIBLE
check_PROGRAMS += \
	%D%/streams_assignor_test \
	%D%/streams_group_test \
	%D%/streams_random_test \
	%D%/streams_topology_test
TESTS += \
	%D%/streams_assignor_test \
	%D%/streams_group_test \
	%D%/streams_random_test \
	%D%/streams_topology_test
endif
