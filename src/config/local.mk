libcore_a_SOURCES += \
	%D%/config.c %D%/config.h \
	%D%/config_alter.c %D%/config_alter.h \
	%D%/config_check.c %D%/config_check.h \
	%D%/config_def.c %D%/config_def.h \
	%D%/config_describe.c %D%/config_describe.h \
	%D%/config_docs.c \
	%D%/config_load.c %D%/config_load.h \
	%D%/config_provider.c %D%/config_provider.h \
	%D%/config_resource.h \
	%D%/config_tables.c \
	%D%/config_validate.c \
	%D%/listeners.c %D%/listeners.h \
	%D%/log_config.c %D%/log_config.h \
	%D%/properties.c %D%/properties.h
EXTRA_DIST += \
	%D%/config_keys.def %D%/topic_keys.def %D%/group_keys.def \
	%D%/config_load_cases.def %D%/config_docs.def %D%/config_describe_cases.def \
	%D%/testdata/properties_fuzz %D%/check_properties_fuzz.sh
if TESTS_POSSIBLE
config_tests = \
	%D%/config_test \
	%D%/config_alter_test \
	%D%/config_def_test \
	%D%/config_describe_test \
	%D%/config_load_test \
	%D%/listeners_test \
	%D%/log_config_test \
	%D%/properties_test
check_PROGRAMS += $(config_tests) %D%/properties_fuzz
TESTS += $(config_tests) %D%/check_properties_fuzz.sh
src_config_properties_fuzz_SOURCES = %D%/properties_fuzz.c $(FUZZ_MAIN)
src_config_properties_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
src_config_config_load_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
