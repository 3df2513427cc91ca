# Units of this folder.
libcore_a_SOURCES += \
	%D%/api.tbl \
	%D%/api_versions.c \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/node.h \
	%D%/request.h
EXTRA_DIST += %D%/testdata/dispatch_fuzz %D%/check_dispatch_fuzz.sh
if TESTS_POSSIBLE
check_PROGRAMS += %D%/dispatch_test %D%/dispatch_fuzz
TESTS += %D%/dispatch_test %D%/check_dispatch_fuzz.sh
src_api_dispatch_fuzz_SOURCES = %D%/dispatch_fuzz.c $(FUZZ_MAIN)
src_api_dispatch_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
