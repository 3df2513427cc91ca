# Units of this folder.
libio_a_SOURCES += \
	%D%/broker.c %D%/broker.h \
	%D%/endpoints.c %D%/endpoints.h \
	%D%/format.c %D%/format.h \
	%D%/format_command.c %D%/format_command.h \
	%D%/glue_alarms.c %D%/glue_alarms.h \
	%D%/glue_config.c %D%/glue_config.h \
	%D%/glue_dirs.c %D%/glue_dirs.h \
	%D%/glue_coordinator.c %D%/glue_coordinator.h \
	%D%/glue_groups.c %D%/glue_groups.h \
	%D%/glue_request.c %D%/glue_request.h \
	%D%/glue_share.c %D%/glue_share.h \
	%D%/glue_txns.c %D%/glue_txns.h \
	%D%/meta_properties.c %D%/meta_properties.h \
	%D%/network.c %D%/network.h \
	%D%/release.c %D%/release.h

bin_PROGRAMS += odradekd
odradekd_SOURCES = %D%/main.c
odradekd_LDADD = $(IO_LIBS)

if TESTS_POSSIBLE
broker_tests = %D%/broker_test %D%/format_test %D%/format_command_test %D%/meta_properties_test %D%/network_test %D%/release_test
check_PROGRAMS += $(broker_tests)
TESTS += $(broker_tests)
src_broker_broker_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_broker_format_command_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_broker_format_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_broker_meta_properties_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_broker_network_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_broker_release_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
