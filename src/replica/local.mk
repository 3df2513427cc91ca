# Units of this folder.
libcore_a_SOURCES += \
	%D%/partition.c %D%/partition.h \
	%D%/partition_delete.c \
	%D%/replicas.c %D%/replicas.h
if TESTS_POSSIBLE
replica_tests = \
	%D%/partition_test \
	%D%/replicas_test
check_PROGRAMS += $(replica_tests)
TESTS += $(replica_tests)
src_replica_replicas_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_replica_partition_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
