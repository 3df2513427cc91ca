# Units of this folder.
libcore_a_SOURCES += \
	%D%/add_offsets_to_txn.c \
	%D%/add_partitions_to_txn.c \
	%D%/alter_replica_log_dirs.c \
	%D%/alter_share_group_offsets.c \
	%D%/api.tbl \
	%D%/api_versions.c \
	%D%/consumer_group_describe.c \
	%D%/consumer_group_heartbeat.c \
	%D%/group_protocol.c %D%/group_protocol.h \
	%D%/current_leader.c %D%/current_leader.h \
	%D%/delete_groups.c \
	%D%/delete_records.c \
	%D%/delete_share_group_offsets.c \
	%D%/describe_groups.c \
	%D%/describe_share_group_offsets.c \
	%D%/describe_producers.c \
	%D%/describe_transactions.c \
	%D%/describe_log_dirs.c \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/end_txn.c \
	%D%/fetch.c \
	%D%/fetch_sessions.c %D%/fetch_sessions.h \
	%D%/find_coordinator.c \
	%D%/heartbeat.c \
	%D%/init_producer_id.c \
	%D%/join_group.c \
	%D%/leave_group.c \
	%D%/list_config_resources.c \
	%D%/list_groups.c \
	%D%/list_offsets.c \
	%D%/list_transactions.c \
	%D%/marker_writer.c %D%/marker_writer.h \
	%D%/node.h \
	%D%/offset_commit.c \
	%D%/offset_delete.c \
	%D%/offset_fetch.c \
	%D%/offset_for_leader_epoch.c \
	%D%/parked.c %D%/parked.h \
	%D%/partition_set.c %D%/partition_set.h \
	%D%/produce.c \
	%D%/request.h \
	%D%/share_acknowledge.c %D%/share_acks.c %D%/share_acks.h \
	%D%/share_fetch.c \
	%D%/share_group_describe.c \
	%D%/share_group_heartbeat.c \
	%D%/share_group_state.c \
	%D%/streams_group_describe.c \
	%D%/streams_group_heartbeat.c \
	%D%/sync_group.c \
	%D%/topic_slots.c %D%/topic_slots.h \
	%D%/txn_check.c %D%/txn_check.h \
	%D%/txn_offset_commit.c \
	%D%/write_txn_markers.c
EXTRA_DIST += %D%/testing_data.h
EXTRA_DIST += %D%/testdata/dispatch_fuzz %D%/check_dispatch_fuzz.sh
if TESTS_POSSIBLE
check_PROGRAMS += %D%/dispatch_test %D%/dispatch_fuzz
TESTS += %D%/dispatch_test %D%/check_dispatch_fuzz.sh
data_tests = \
	%D%/fetch_sessions_test \
	%D%/fetch_test \
	%D%/produce_test \
	%D%/txn_test
check_PROGRAMS += $(data_tests)
TESTS += $(data_tests)
src_api_fetch_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_api_txn_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_api_produce_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
src_api_dispatch_fuzz_SOURCES = %D%/dispatch_fuzz.c $(FUZZ_MAIN)
src_api_dispatch_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
# The cluster: what is known of it, and what the controller decides.
libcore_a_SOURCES += \
	%D%/authorized_operations.h \
	%D%/cluster_view.c %D%/cluster_view.h \
	%D%/create_partitions.c \
	%D%/create_topics.c \
	%D%/delete_topics.c \
	%D%/describe_cluster.c \
	%D%/describe_topic_partitions.c \
	%D%/forward.c %D%/forward.h \
	%D%/metadata.c \
	%D%/update_features.c
# Settings: described and altered.
libcore_a_SOURCES += \
	%D%/alter_configs.c \
	%D%/config_alterations.c %D%/config_alterations.h \
	%D%/describe_configs.c \
	%D%/incremental_alter_configs.c
if TESTS_POSSIBLE
check_PROGRAMS += %D%/configs_test
TESTS += %D%/configs_test
src_api_configs_test_LDADD = $(IO_LIBS) $(CUNIT_LIBS)
endif
if TESTS_POSSIBLE
check_PROGRAMS += %D%/metadata_test
TESTS += %D%/metadata_test
endif
