libcore_a_SOURCES += \
	%D%/batch.c %D%/batch.h \
	%D%/batch_builder.c %D%/batch_builder.h \
	%D%/compress.c %D%/compress.h \
	%D%/record.c %D%/record.h \
	%D%/xxh32.c %D%/xxh32.h
if TESTS_POSSIBLE
record_tests = \
	%D%/record_test
check_PROGRAMS += $(record_tests)
TESTS += $(record_tests)
endif
