libcore_a_SOURCES += \
	%D%/batch.c %D%/batch.h \
	%D%/batch_builder.c %D%/batch_builder.h \
	%D%/compress.c %D%/compress.h \
	%D%/old_records.c %D%/old_records.h \
	%D%/record.c %D%/record.h \
	%D%/xxh32.c %D%/xxh32.h
EXTRA_DIST += %D%/testdata/record_fuzz %D%/check_record_fuzz.sh
if TESTS_POSSIBLE
record_tests = \
	%D%/old_records_test \
	%D%/record_test
check_PROGRAMS += $(record_tests) %D%/record_fuzz
TESTS += $(record_tests) %D%/check_record_fuzz.sh
src_record_record_fuzz_SOURCES = %D%/record_fuzz.c $(FUZZ_MAIN)
src_record_record_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
