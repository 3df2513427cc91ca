# Units of this folder.
libcore_a_SOURCES += \
	%D%/in_flight.c %D%/in_flight.h \
	%D%/share_acquire.c %D%/share_let_go.c \
	%D%/share_manager.c %D%/share_manager.h \
	%D%/share_partition.c %D%/share_partition.h \
	%D%/share_read.c %D%/share_read.h \
	%D%/share_sessions.c %D%/share_sessions.h \
	%D%/share_start.c %D%/share_start.h
EXTRA_DIST += %D%/testing_share_partition.h
if TESTS_POSSIBLE
share_tests = \
	%D%/share_partition_test \
	%D%/share_random_test \
	%D%/share_read_test \
	%D%/share_sessions_test \
	%D%/share_start_test
check_PROGRAMS += $(share_tests)
TESTS += $(share_tests)
src_share_share_read_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
