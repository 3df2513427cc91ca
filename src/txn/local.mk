# Units of this folder.
libcore_a_SOURCES += \
	%D%/producer_ids.c %D%/producer_ids.h \
	%D%/transaction.c %D%/transaction.h \
	%D%/transaction_partitions.c %D%/transaction_partitions.h \
	%D%/txn_admin.c \
	%D%/txn_coordinator.c %D%/txn_coordinator.h \
	%D%/txn_expiry.c %D%/txn_expiry.h \
	%D%/txn_markers.c %D%/txn_markers.h \
	%D%/txn_records.c %D%/txn_records.h \
	%D%/txn_shard.c %D%/txn_shard.h
EXTRA_DIST += %D%/testing_txns.h %D%/testdata/txn_log_fuzz %D%/check_txn_log_fuzz.sh
if TESTS_POSSIBLE
txn_tests = \
	%D%/producer_ids_test \
	%D%/txn_coordinator_test \
	%D%/txn_random_test \
	%D%/txn_records_test
check_PROGRAMS += $(txn_tests)
TESTS += $(txn_tests)
check_PROGRAMS += %D%/txn_log_fuzz
TESTS += %D%/check_txn_log_fuzz.sh
src_txn_txn_log_fuzz_SOURCES = %D%/txn_log_fuzz.c $(FUZZ_MAIN)
src_txn_txn_log_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
src_txn_producer_ids_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
