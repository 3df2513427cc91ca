# Units of this folder: groups of the consumer protocol (KIP-848).
libcore_a_SOURCES += \
	%D%/consumer_classic.c %D%/consumer_classic.h \
	%D%/consumer_describe.c %D%/consumer_describe.h \
	%D%/consumer_draft.c %D%/consumer_draft.h \
	%D%/consumer_group.c %D%/consumer_group.h \
	%D%/consumer_heartbeat.c %D%/consumer_heartbeat.h \
	%D%/consumer_migration.c %D%/consumer_migration.h \
	%D%/consumer_reconcile.c %D%/consumer_reconcile.h \
	%D%/consumer_records.c %D%/consumer_records.h \
	%D%/consumer_regex.c %D%/consumer_regex.h \
	%D%/consumer_session.c %D%/consumer_session.h \
	%D%/consumer_subscription.c %D%/consumer_subscription.h \
	%D%/consumer_target.c %D%/consumer_target.h \
	%D%/consumer_update.c %D%/consumer_update.h \
	%D%/embedded_protocol.c %D%/embedded_protocol.h
if TESTS_POSSIBLE
consumer_group_tests = \
	%D%/consumer_group_test \
	%D%/consumer_random_test \
	%D%/consumer_regex_test
check_PROGRAMS += $(consumer_group_tests)
TESTS += $(consumer_group_tests)
endif
