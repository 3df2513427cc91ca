# Units of this folder.
libcore_a_SOURCES += \
	%D%/persister.h %D%/persister_retry.c %D%/persister_retry.h \
	%D%/share_batches.c %D%/share_batches.h \
	%D%/share_coordinator.c %D%/share_coordinator.h \
	%D%/share_records.c %D%/share_records.h \
	%D%/share_shard.c %D%/share_shard.h
EXTRA_DIST += %D%/testing_share.h %D%/testdata/share_log_fuzz %D%/check_share_log_fuzz.sh
if TESTS_POSSIBLE
check_PROGRAMS += %D%/share_batches_test %D%/share_coordinator_test %D%/share_log_fuzz
TESTS += %D%/share_batches_test %D%/share_coordinator_test %D%/check_share_log_fuzz.sh
src_share_coordinator_share_log_fuzz_SOURCES = %D%/share_log_fuzz.c $(FUZZ_MAIN)
src_share_coordinator_share_log_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
