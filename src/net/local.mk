# Units of this folder.
libio_a_SOURCES += \
	%D%/connection.c %D%/connection.h \
	%D%/connection_limits.c %D%/connection_limits.h \
	%D%/file_load.c \
	%D%/line_limit.h \
	%D%/acceptor.c %D%/acceptor.h \
	%D%/mailbox.c %D%/mailbox.h \
	%D%/passing_memory.c %D%/passing_memory.h \
	%D%/reactor.c %D%/reactor.h \
	%D%/reply.c
if TESTS_POSSIBLE
net_tests = \
	%D%/connection_limits_test \
	%D%/connection_test \
	%D%/mailbox_test \
	%D%/passing_memory_test \
	%D%/reactor_test
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)
src_net_connection_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_net_connection_limits_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_net_passing_memory_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_net_mailbox_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_net_reactor_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
