# Units of this folder.
libcore_a_SOURCES += \
	%D%/log_dir_control.c %D%/log_dir_control.h \
	%D%/log_mover.c %D%/log_mover.h \
	%D%/move_throttle.c %D%/move_throttle.h \
	%D%/partition.c %D%/partition.h %D%/partition_internal.h \
	%D%/partition_delete.c \
	%D%/partition_wait.c \
	%D%/replicas.c %D%/replicas.h
if TESTS_POSSIBLE
replica_tests = \
	%D%/log_mover_test \
	%D%/partition_test \
	%D%/replicas_test
check_PROGRAMS += $(replica_tests)
TESTS += $(replica_tests)
src_replica_log_mover_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_replica_replicas_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_replica_partition_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
