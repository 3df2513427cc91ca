libcore_a_SOURCES += \
	%D%/config.c %D%/config.h \
	%D%/config_check.c %D%/config_check.h \
	%D%/config_def.c %D%/config_def.h \
	%D%/config_tables.c \
	%D%/log_config.c %D%/log_config.h
EXTRA_DIST += %D%/config_keys.def %D%/topic_keys.def %D%/group_keys.def
if TESTS_POSSIBLE
config_tests = \
	%D%/config_test \
	%D%/config_def_test \
	%D%/log_config_test
check_PROGRAMS += $(config_tests)
TESTS += $(config_tests)
endif
