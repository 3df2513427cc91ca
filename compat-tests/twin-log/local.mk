# The C side of twin-log; ./run builds and drives it.
EXTRA_PROGRAMS += %D%/log_tool
compat_tests_twin_log_log_tool_SOURCES = %D%/log_tool.c
compat_tests_twin_log_log_tool_LDADD = $(IO_LIBS)
CLEANFILES += %D%/log_tool
EXTRA_DIST += %D%/run
