# Units of this folder.
libcore_a_SOURCES += %D%/coordinator.c %D%/coordinator.h \
	%D%/coordinator_record.c %D%/coordinator_record.h
EXTRA_DIST += %D%/testing_log.h
if TESTS_POSSIBLE
check_PROGRAMS += %D%/coordinator_test
TESTS += %D%/coordinator_test
endif
