libcore_a_SOURCES += \
	%D%/batch_reader.c %D%/batch_reader.h \
	%D%/batch_scan.c %D%/batch_scan.h \
	%D%/checkpoint.c %D%/checkpoint.h \
	%D%/clean_shutdown.c %D%/clean_shutdown.h \
	%D%/cleaned_segment.c %D%/cleaned_segment.h \
	%D%/cleaner.c %D%/cleaner.h \
	%D%/cleaner_filter.c %D%/cleaner_filter.h \
	%D%/cleaner_manager.c %D%/cleaner_manager.h \
	%D%/cleaner_states.c %D%/cleaner_states.h \
	%D%/cleaner_throttle.c %D%/cleaner_throttle.h \
	%D%/cleaner_txns.c %D%/cleaner_txns.h \
	%D%/index_file.c %D%/index_file.h \
	%D%/leader_epochs.c %D%/leader_epochs.h \
	%D%/log.c %D%/log.h %D%/log_files.h %D%/log_internal.h \
	%D%/log_append.c \
	%D%/log_flush.c \
	%D%/log_gather.c \
	%D%/log_flusher.c %D%/log_flusher.h \
	%D%/log_cleaning.c %D%/log_cleaning.h \
	%D%/log_checkpoints.c \
	%D%/log_chores.c \
	%D%/log_copy.c %D%/log_copy.h \
	%D%/log_dirs.c %D%/log_dirs.h \
	%D%/log_future.c %D%/log_future.h \
	%D%/log_loading.c \
	%D%/log_manager.c %D%/log_manager.h %D%/log_manager_internal.h \
	%D%/log_read.c \
	%D%/log_recovery.c \
	%D%/log_retention.c \
	%D%/log_truncate.c \
	%D%/log_validate.c %D%/log_validate.h \
	%D%/offset_map.c %D%/offset_map.h \
	%D%/offset_index.c %D%/offset_index.h \
	%D%/partition_dir.c %D%/partition_dir.h \
	%D%/producer_state.c %D%/producer_state.h \
	%D%/segment.c %D%/segment.h \
	%D%/segment_check.c %D%/segment_check.h \
	%D%/time_index.c %D%/time_index.h \
	%D%/txn_index.c %D%/txn_index.h
EXTRA_DIST += %D%/testdata/log_fuzz %D%/check_log_fuzz.sh
if TESTS_POSSIBLE
log_tests = \
	%D%/checkpoint_test \
	%D%/cleaner_faults_test \
	%D%/cleaner_filter_test \
	%D%/cleaner_manager_test \
	%D%/cleaner_test \
	%D%/cleaner_throttle_test \
	%D%/index_file_test \
	%D%/log_faults_test \
	%D%/log_flush_test \
	%D%/log_gather_test \
	%D%/log_future_test \
	%D%/log_manager_test \
	%D%/log_retention_test \
	%D%/log_test \
	%D%/log_validate_test \
	%D%/offset_map_test \
	%D%/producer_state_test \
	%D%/segment_check_test
log_disk_testing = %D%/disk_testing.c %D%/disk_testing.h
check_PROGRAMS += $(log_tests) %D%/log_fuzz
src_log_log_fuzz_SOURCES = %D%/log_fuzz.c $(log_disk_testing) $(FUZZ_MAIN)
src_log_log_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
log_cleaner_testing = %D%/cleaner_testing.c %D%/cleaner_testing.h $(log_disk_testing)
src_log_cleaner_faults_test_SOURCES = %D%/cleaner_faults_test.c $(log_cleaner_testing)
src_log_cleaner_manager_test_SOURCES = %D%/cleaner_manager_test.c $(log_disk_testing)
src_log_cleaner_manager_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_log_cleaner_test_SOURCES = %D%/cleaner_test.c $(log_cleaner_testing)
src_log_checkpoint_test_SOURCES = %D%/checkpoint_test.c $(log_disk_testing)
src_log_index_file_test_SOURCES = %D%/index_file_test.c $(log_disk_testing)
src_log_log_faults_test_SOURCES = %D%/log_faults_test.c $(log_disk_testing)
src_log_log_flush_test_SOURCES = %D%/log_flush_test.c $(log_disk_testing)
src_log_log_flush_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_log_log_gather_test_SOURCES = %D%/log_gather_test.c $(log_disk_testing)
src_log_log_future_test_SOURCES = %D%/log_future_test.c $(log_disk_testing)
src_log_log_retention_test_SOURCES = %D%/log_retention_test.c $(log_disk_testing)
src_log_producer_state_test_SOURCES = %D%/producer_state_test.c $(log_disk_testing)
src_log_log_manager_test_SOURCES = %D%/log_manager_test.c $(log_disk_testing)
src_log_log_manager_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_log_log_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_log_segment_check_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
TESTS += $(log_tests) %D%/check_log_fuzz.sh
endif
