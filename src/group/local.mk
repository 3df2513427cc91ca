# Units of this folder.
libcore_a_SOURCES += \
	%D%/assignor_draft.c %D%/assignor_draft.h \
	%D%/assignor_range.c \
	%D%/assignor_uniform.c \
	%D%/assignor_uniform_mixed.c \
	%D%/classic_group.c %D%/classic_group.h \
	%D%/classic_join.c %D%/classic_join.h \
	%D%/classic_leave.c %D%/classic_leave.h \
	%D%/classic_member.c %D%/classic_member.h \
	%D%/classic_rebalance.c %D%/classic_rebalance.h \
	%D%/classic_sync.c %D%/classic_sync.h \
	%D%/group.c %D%/group.h \
	%D%/group_admin.c %D%/group_admin.h \
	%D%/group_background.c %D%/group_background.h \
	%D%/group_commit.c %D%/group_commit.h \
	%D%/group_coordinator.c %D%/group_coordinator.h %D%/group_coordinator_private.h \
	%D%/group_expiry.c %D%/group_expiry.h \
	%D%/group_offsets.c %D%/group_offsets.h \
	%D%/group_queries.c \
	%D%/group_records.c %D%/group_records.h \
	%D%/group_settings.c %D%/group_settings.h \
	%D%/group_shard.c %D%/group_shard.h \
	%D%/metadata_hash.c %D%/metadata_hash.h \
	%D%/partition_assignor.h \
	%D%/timeline_order.c %D%/timeline_order.h \
	%D%/topic_index.c %D%/topic_index.h \
	%D%/topic_regex.c %D%/topic_regex.h \
	%D%/topic_regex_parse.c %D%/topic_regex_parse.h \
	%D%/topic_regex_set.c %D%/topic_regex_set.h
include src/group/consumer/local.mk
include src/group/share/local.mk
include src/group/streams/local.mk
EXTRA_DIST += %D%/testing_groups.h %D%/testdata/group_log_fuzz %D%/check_group_log_fuzz.sh \
	%D%/testdata/topic_regex_fuzz %D%/check_topic_regex_fuzz.sh
if TESTS_POSSIBLE
group_tests = \
	%D%/assignor_test \
	%D%/classic_group_test \
	%D%/classic_rebalance_test \
	%D%/group_coordinator_test \
	%D%/group_expiry_test \
	%D%/group_offsets_test \
	%D%/group_random_test \
	%D%/group_records_test \
	%D%/group_settings_test \
	%D%/metadata_hash_test \
	%D%/timeline_order_test \
	%D%/topic_index_test \
	%D%/topic_regex_test
check_PROGRAMS += $(group_tests)
TESTS += $(group_tests)
check_PROGRAMS += %D%/group_log_fuzz %D%/topic_regex_fuzz
TESTS += %D%/check_group_log_fuzz.sh %D%/check_topic_regex_fuzz.sh
src_group_group_log_fuzz_SOURCES = %D%/group_log_fuzz.c $(FUZZ_MAIN)
src_group_group_log_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
src_group_topic_regex_fuzz_SOURCES = %D%/topic_regex_fuzz.c $(FUZZ_MAIN)
src_group_topic_regex_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
