# Units of this folder.
libcore_a_SOURCES += \
	%D%/activation.c %D%/activation.h \
	%D%/auto_create.c %D%/auto_create.h \
	%D%/broker_control.c %D%/broker_control.h \
	%D%/calls.c %D%/calls.h \
	%D%/config_control.c %D%/config_control.h \
	%D%/controller.c %D%/controller.h \
	%D%/directory_control.c %D%/directory_control.h \
	%D%/feature_control.c %D%/feature_control.h \
	%D%/local_broker.c %D%/local_broker.h \
	%D%/evaluation.c %D%/evaluation.h \
	%D%/partition_assignment.c %D%/partition_assignment.h \
	%D%/partition_change.c %D%/partition_change.h \
	%D%/placement.c %D%/placement.h \
	%D%/producer_id_control.c %D%/producer_id_control.h \
	%D%/resource_check.c %D%/resource_check.h \
	%D%/topic_changes.c \
	%D%/topic_configs.c %D%/topic_configs.h \
	%D%/topic_control.c %D%/topic_control.h \
	%D%/topic_names.c %D%/topic_names.h
EXTRA_DIST += %D%/testing_controller.h
if TESTS_POSSIBLE
controller_tests = \
	%D%/controller_faults_test \
	%D%/controller_test \
	%D%/directory_control_test \
	%D%/feature_control_test
check_PROGRAMS += $(controller_tests)
TESTS += $(controller_tests)
src_controller_controller_faults_test_SOURCES = %D%/controller_faults_test.c src/log/disk_testing.c
src_controller_controller_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_controller_directory_control_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_controller_feature_control_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
