// SPDX-License-Identifier: Apache-2.0
#include "raft/raft.h"

#include "base/testing.h"

static const struct uuid here = { { 1 } };
static const struct uuid elsewhere = { { 2 } };

static unsigned step(struct raft *raft, enum raft_event_type type, int64_t offset)
{
    struct raft_event event = { type, 0, offset };
    return raft_step(raft, &event);
}

static void an_epoch_is_persisted_before_it_begins(void)
{
    struct raft raft;
    struct quorum_state state = QUORUM_STATE_NONE;
    state.leader_epoch = 4;
    state.leader_id = 1;
    raft_init(&raft, 1, here, &state, 3);
    CU_ASSERT_EQUAL(raft.role, RAFT_UNATTACHED);
    CU_ASSERT_EQUAL(step(&raft, RAFT_START, 0), RAFT_PERSIST_STATE);
    CU_ASSERT_EQUAL(raft.role, RAFT_CANDIDATE);
    CU_ASSERT_EQUAL(raft.state.leader_epoch, 5);
    CU_ASSERT_EQUAL(raft.state.leader_id, 1);
    CU_ASSERT_EQUAL(step(&raft, RAFT_STATE_PERSISTED, 0), RAFT_BEGIN_EPOCH);
    CU_ASSERT_EQUAL(raft.role, RAFT_LEADER);
}

static void a_lost_quorum_state_does_not_bring_back_an_epoch_of_the_log(void)
{
    struct raft raft;
    raft_init(&raft, 1, here, &QUORUM_STATE_NONE, 7);
    step(&raft, RAFT_START, 0);
    CU_ASSERT_EQUAL(raft.state.leader_epoch, 8);
}

static void nothing_commits_before_a_record_of_the_own_epoch(void)
{
    struct raft raft;
    raft_init(&raft, 1, here, &QUORUM_STATE_NONE, 0);
    step(&raft, RAFT_START, 0);
    step(&raft, RAFT_STATE_PERSISTED, 0);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 100), 0); // LEADER_CHANGE is not there yet
    CU_ASSERT_EQUAL(step(&raft, RAFT_EPOCH_BEGUN, 100), 0);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 100), 0); // nor is it on disk
    CU_ASSERT_EQUAL(raft.high_watermark, -1);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 103), RAFT_HIGH_WATERMARK);
    CU_ASSERT_EQUAL(raft.high_watermark, 103);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 103), 0);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 102), 0); // never back
    CU_ASSERT_EQUAL(raft.high_watermark, 103);
}

static void after_a_failure_nothing_commits(void)
{
    struct raft raft;
    raft_init(&raft, 1, here, &QUORUM_STATE_NONE, 0);
    step(&raft, RAFT_START, 0);
    step(&raft, RAFT_STATE_PERSISTED, 0);
    step(&raft, RAFT_EPOCH_BEGUN, 0);
    step(&raft, RAFT_FAILED, 0);
    CU_ASSERT_EQUAL(raft.role, RAFT_RESIGNED);
    CU_ASSERT_EQUAL(step(&raft, RAFT_LOG_SYNCED, 10), 0);
}

static void a_voter_is_an_id_and_a_directory(void)
{
    struct voters_record_voter voters[2] = { { .voter_id = 1, .voter_directory_id = here },
                                             { .voter_id = 2, .voter_directory_id = elsewhere } };
    struct voters_record set = { .voters = voters, .voters_count = 1 };
    CU_ASSERT_EQUAL(raft_check_voters(1, here, &set), RAFT_IS_VOTER);
    CU_ASSERT_EQUAL(raft_check_voters(1, elsewhere, &set),
                    RAFT_NOT_A_VOTER); // the disk was replaced
    CU_ASSERT_EQUAL(raft_check_voters(2, elsewhere, &set), RAFT_NOT_A_VOTER);
    set.voters_count = 2;
    CU_ASSERT_EQUAL(raft_check_voters(1, here, &set), RAFT_SEVERAL_VOTERS);
    voters[0].voter_directory_id = UUID_ZERO; // of controller.quorum.voters
    set.voters_count = 1;
    CU_ASSERT_EQUAL(raft_check_voters(1, here, &set), RAFT_IS_VOTER);
}

TEST_MAIN("raft", TEST(an_epoch_is_persisted_before_it_begins),
          TEST(a_lost_quorum_state_does_not_bring_back_an_epoch_of_the_log),
          TEST(nothing_commits_before_a_record_of_the_own_epoch),
          TEST(after_a_failure_nothing_commits), TEST(a_voter_is_an_id_and_a_directory))
