# Units of this folder.
libcore_a_SOURCES += \
	%D%/api.tbl \
	%D%/api_versions.c \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/node.h \
	%D%/request.h
if TESTS_POSSIBLE
check_PROGRAMS += %D%/dispatch_test
TESTS += %D%/dispatch_test
endif
