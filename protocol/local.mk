# Units of this folder, and what generate.py makes of the schema. The generated headers are included as
# "protocol/messages/fetch.h", "protocol/records/partition.h", "protocol/kafka_error.h".
protocol_generator = \
	%D%/generate.py \
	%D%/generator/__init__.py \
	%D%/generator/emit.py \
	%D%/generator/names.py \
	%D%/generator/schema.py
protocol_schema = \
	%D%/schema/add_offsets_to_txn.msg \
	%D%/schema/add_partitions_to_txn.msg \
	%D%/schema/add_raft_voter.msg \
	%D%/schema/allocate_producer_ids.msg \
	%D%/schema/alter_client_quotas.msg \
	%D%/schema/alter_configs.msg \
	%D%/schema/alter_partition.msg \
	%D%/schema/alter_partition_reassignments.msg \
	%D%/schema/alter_replica_log_dirs.msg \
	%D%/schema/alter_share_group_offsets.msg \
	%D%/schema/alter_user_scram_credentials.msg \
	%D%/schema/api_versions.msg \
	%D%/schema/assign_replicas_to_dirs.msg \
	%D%/schema/begin_quorum_epoch.msg \
	%D%/schema/broker_heartbeat.msg \
	%D%/schema/broker_registration.msg \
	%D%/schema/consumer_group_describe.msg \
	%D%/schema/consumer_group_heartbeat.msg \
	%D%/schema/controller_registration.msg \
	%D%/schema/create_acls.msg \
	%D%/schema/create_delegation_token.msg \
	%D%/schema/create_partitions.msg \
	%D%/schema/create_topics.msg \
	%D%/schema/delete_acls.msg \
	%D%/schema/delete_groups.msg \
	%D%/schema/delete_records.msg \
	%D%/schema/delete_share_group_offsets.msg \
	%D%/schema/delete_share_group_state.msg \
	%D%/schema/delete_topics.msg \
	%D%/schema/describe_acls.msg \
	%D%/schema/describe_client_quotas.msg \
	%D%/schema/describe_cluster.msg \
	%D%/schema/describe_configs.msg \
	%D%/schema/describe_delegation_token.msg \
	%D%/schema/describe_groups.msg \
	%D%/schema/describe_log_dirs.msg \
	%D%/schema/describe_producers.msg \
	%D%/schema/describe_quorum.msg \
	%D%/schema/describe_share_group_offsets.msg \
	%D%/schema/describe_topic_partitions.msg \
	%D%/schema/describe_transactions.msg \
	%D%/schema/describe_user_scram_credentials.msg \
	%D%/schema/elect_leaders.msg \
	%D%/schema/end_quorum_epoch.msg \
	%D%/schema/end_txn.msg \
	%D%/schema/envelope.msg \
	%D%/schema/errors.msg \
	%D%/schema/expire_delegation_token.msg \
	%D%/schema/fetch.msg \
	%D%/schema/fetch_snapshot.msg \
	%D%/schema/find_coordinator.msg \
	%D%/schema/get_telemetry_subscriptions.msg \
	%D%/schema/header.msg \
	%D%/schema/heartbeat.msg \
	%D%/schema/incremental_alter_configs.msg \
	%D%/schema/init_producer_id.msg \
	%D%/schema/initialize_share_group_state.msg \
	%D%/schema/join_group.msg \
	%D%/schema/leave_group.msg \
	%D%/schema/list_config_resources.msg \
	%D%/schema/list_groups.msg \
	%D%/schema/list_offsets.msg \
	%D%/schema/list_partition_reassignments.msg \
	%D%/schema/list_transactions.msg \
	%D%/schema/metadata.msg \
	%D%/schema/offset_commit.msg \
	%D%/schema/offset_delete.msg \
	%D%/schema/offset_fetch.msg \
	%D%/schema/offset_for_leader_epoch.msg \
	%D%/schema/produce.msg \
	%D%/schema/push_telemetry.msg \
	%D%/schema/read_share_group_state.msg \
	%D%/schema/read_share_group_state_summary.msg \
	%D%/schema/remove_raft_voter.msg \
	%D%/schema/renew_delegation_token.msg \
	%D%/schema/sasl_authenticate.msg \
	%D%/schema/sasl_handshake.msg \
	%D%/schema/share_acknowledge.msg \
	%D%/schema/share_fetch.msg \
	%D%/schema/share_group_describe.msg \
	%D%/schema/share_group_heartbeat.msg \
	%D%/schema/streams_group_describe.msg \
	%D%/schema/streams_group_heartbeat.msg \
	%D%/schema/sync_group.msg \
	%D%/schema/txn_offset_commit.msg \
	%D%/schema/unregister_broker.msg \
	%D%/schema/update_features.msg \
	%D%/schema/update_raft_voter.msg \
	%D%/schema/vote.msg \
	%D%/schema/write_share_group_state.msg \
	%D%/schema/write_txn_markers.msg \
	%D%/schema/records/abort_transaction.msg \
	%D%/schema/records/access_control_entry.msg \
	%D%/schema/records/begin_transaction.msg \
	%D%/schema/records/broker_registration_change.msg \
	%D%/schema/records/clear_elr.msg \
	%D%/schema/records/client_quota.msg \
	%D%/schema/records/config.msg \
	%D%/schema/records/consumer_group_current_member_assignment.msg \
	%D%/schema/records/consumer_group_member_metadata.msg \
	%D%/schema/records/consumer_group_metadata.msg \
	%D%/schema/records/consumer_group_partition_metadata.msg \
	%D%/schema/records/consumer_group_regular_expression.msg \
	%D%/schema/records/consumer_group_target_assignment_member.msg \
	%D%/schema/records/consumer_group_target_assignment_metadata.msg \
	%D%/schema/records/consumer_protocol.msg \
	%D%/schema/records/control_record_type_schema.msg \
	%D%/schema/records/default_principal_data.msg \
	%D%/schema/records/delegation_token.msg \
	%D%/schema/records/end_transaction.msg \
	%D%/schema/records/end_txn_marker.msg \
	%D%/schema/records/feature_level.msg \
	%D%/schema/records/fence_broker.msg \
	%D%/schema/records/group_metadata.msg \
	%D%/schema/records/kraft_version.msg \
	%D%/schema/records/leader_change_message.msg \
	%D%/schema/records/legacy_offset_commit.msg \
	%D%/schema/records/no_op.msg \
	%D%/schema/records/offset_commit.msg \
	%D%/schema/records/partition.msg \
	%D%/schema/records/partition_change.msg \
	%D%/schema/records/producer_ids.msg \
	%D%/schema/records/producer_snapshot.msg \
	%D%/schema/records/quorum_state_data.msg \
	%D%/schema/records/register_broker.msg \
	%D%/schema/records/register_controller.msg \
	%D%/schema/records/remote_log_segment_metadata.msg \
	%D%/schema/records/remote_log_segment_metadata_snapshot.msg \
	%D%/schema/records/remote_log_segment_metadata_update.msg \
	%D%/schema/records/remote_partition_delete_metadata.msg \
	%D%/schema/records/remove_access_control_entry.msg \
	%D%/schema/records/remove_delegation_token.msg \
	%D%/schema/records/remove_topic.msg \
	%D%/schema/records/remove_user_scram_credential.msg \
	%D%/schema/records/share_group_current_member_assignment.msg \
	%D%/schema/records/share_group_member_metadata.msg \
	%D%/schema/records/share_group_metadata.msg \
	%D%/schema/records/share_group_state_partition_metadata.msg \
	%D%/schema/records/share_group_target_assignment_member.msg \
	%D%/schema/records/share_group_target_assignment_metadata.msg \
	%D%/schema/records/share_snapshot.msg \
	%D%/schema/records/share_update.msg \
	%D%/schema/records/snapshot_footer.msg \
	%D%/schema/records/snapshot_header.msg \
	%D%/schema/records/streams_group_current_member_assignment.msg \
	%D%/schema/records/streams_group_member_metadata.msg \
	%D%/schema/records/streams_group_metadata.msg \
	%D%/schema/records/streams_group_target_assignment_member.msg \
	%D%/schema/records/streams_group_target_assignment_metadata.msg \
	%D%/schema/records/streams_group_topology.msg \
	%D%/schema/records/topic.msg \
	%D%/schema/records/transaction_log.msg \
	%D%/schema/records/unfence_broker.msg \
	%D%/schema/records/unregister_broker.msg \
	%D%/schema/records/user_scram_credential.msg \
	%D%/schema/records/voters.msg \
	%D%/schema/records/zk_migration_state.msg

EXTRA_DIST += $(protocol_generator) $(protocol_schema)
BUILT_SOURCES += %D%/generated.stamp
%D%/generated.stamp: $(protocol_generator) $(protocol_schema)
	$(AM_V_GEN)$(PYTHON) $(srcdir)/%D%/generate.py $(srcdir)/%D%/schema %D% && touch $@
%D%/descriptors.c %D%/kafka_error.c: %D%/generated.stamp
	@test -f $@ || { rm -f $<; $(MAKE) $<; }
clean-local: protocol-clean
protocol-clean:
	rm -rf %D%/messages %D%/records
CLEANFILES += %D%/generated.stamp %D%/descriptors.c %D%/kafka_error.c %D%/kafka_error.h \
	%D%/api_keys.h %D%/record_types.h

libproto_a_SOURCES += \
	%D%/codec.c %D%/codec.h \
	%D%/error_message.c %D%/error_message.h \
	%D%/json.c %D%/json.h \
	%D%/message_dup.c %D%/message_dup.h \
	%D%/registry.c %D%/registry.h \
	%D%/wire.c %D%/wire.h
nodist_libproto_a_SOURCES += %D%/descriptors.c %D%/kafka_error.c

# Nanoseconds for a message; built by hand.
EXTRA_PROGRAMS += %D%/codec_bench
protocol_codec_bench_SOURCES = %D%/codec_bench.c
CLEANFILES += %D%/codec_bench

EXTRA_DIST += %D%/testdata/golden %D%/testdata/codec_fuzz %D%/testdata/generator \
	%D%/check_codec_fuzz.sh %D%/generate_test.py
TESTS += %D%/generate_test.py
if TESTS_POSSIBLE
protocol_tests = %D%/codec_test %D%/json_test %D%/message_dup_test %D%/wire_test
check_PROGRAMS += $(protocol_tests) %D%/codec_fuzz
TESTS += $(protocol_tests) %D%/check_codec_fuzz.sh
protocol_codec_fuzz_SOURCES = %D%/codec_fuzz.c $(FUZZ_MAIN)
protocol_codec_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
endif
