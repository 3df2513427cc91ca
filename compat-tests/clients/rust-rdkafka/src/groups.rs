// SPDX-License-Identifier: Apache-2.0
//! Consumer groups: positions that outlive a consumer, members, and their administration.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::kit;

fn committed(consumer: &BaseConsumer, topic: &str) -> Offset {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, 0);
    let answer = consumer.committed_offsets(list, kit::LIMIT).expect("committed");
    let offset = answer.elements()[0].offset();
    offset
}

pub fn commit_resume() {
    let topic = kit::topic("resume", 1);
    let group = kit::name("resume-group");
    kit::fill(&topic, 100, 10, &[]);
    {
        let consumer = kit::consumer(&[("group.id", &group)]);
        assert_eq!(committed(&consumer, &topic), Offset::Invalid, "before");
        consumer.subscribe(&[&topic]).expect("subscribe");
        for i in 0..40 {
            assert_eq!(kit::next(&consumer).offset(), i, "offset");
        }
        consumer.commit_consumer_state(CommitMode::Sync).expect("commit");
        assert_eq!(committed(&consumer, &topic), Offset::Offset(40), "committed");
    }
    let consumer = kit::consumer(&[("group.id", &group)]);
    consumer.subscribe(&[&topic]).expect("subscribe");
    for i in 40..100 {
        assert_eq!(kit::next(&consumer).offset(), i, "offset of the second part");
    }
    consumer.commit_consumer_state(CommitMode::Sync).expect("commit");
    assert_eq!(committed(&consumer, &topic), Offset::Offset(100), "end");
}

/// Polls the members by turns until each has `want` partitions.
fn settle(members: &[BaseConsumer], want: usize) {
    let end = Instant::now() + kit::LIMIT;
    while Instant::now() < end {
        for member in members {
            if let Some(Err(error)) = member.poll(Duration::from_millis(20)) {
                println!("# member: {}", error);
            }
        }
        if members.iter().all(|one| one.assignment().expect("assignment").count() == want) {
            return;
        }
    }
    panic!("{} members never had {} partitions each", members.len(), want);
}

pub fn balance() {
    for assignor in ["range", "roundrobin", "cooperative-sticky"] {
        let what = format!("balance-{}", assignor);
        let topic = kit::topic(&what, 6);
        let group = kit::name(&what);
        let mut members = Vec::new();
        for count in 1..=3 {
            let member = kit::consumer(&[
                ("group.id", &group),
                ("partition.assignment.strategy", assignor),
                ("heartbeat.interval.ms", "100"),
            ]);
            member.subscribe(&[&topic]).expect("subscribe");
            members.push(member);
            settle(&members, 6 / count);
        }
        members.pop();
        settle(&members, 3);
        members.pop();
        settle(&members, 6);
    }
}

/// The group's state and members (client id, host) as DescribeGroups has it. The crate must not be
/// asked for the members where there are none: it makes a slice of a null pointer.
fn describe(asker: &BaseConsumer, group: &str) -> (String, Vec<(String, String)>) {
    let list = asker.fetch_group_list(Some(group), kit::LIMIT).expect("group list");
    assert_eq!(list.groups().len(), 1, "groups");
    let found = &list.groups()[0];
    assert_eq!(found.name(), group, "name");
    let mut members = Vec::new();
    if found.state() == "Stable" {
        assert_eq!(found.protocol_type(), "consumer", "protocol type");
        assert_eq!(found.protocol(), "range", "protocol");
        let all = found.members().iter();
        members.extend(all.map(|m| (m.client_id().to_string(), m.client_host().to_string())));
    }
    (found.state().to_string(), members)
}

/// For the same reason there must be a group to be listed.
fn listed(asker: &BaseConsumer, group: &str) -> bool {
    let list = asker.fetch_group_list(None, kit::LIMIT).expect("group list");
    let found = list.groups().iter().any(|one| one.name() == group);
    found
}

/// Commits without being a member, which makes a group that has none.
fn commit_alone(topic: &str, group: &str) {
    let consumer = kit::consumer(&[("group.id", group)]);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(3)).expect("offset");
    consumer.commit(&list, CommitMode::Sync).expect("commit");
    assert_eq!(committed(&consumer, topic), Offset::Offset(3), "committed alone");
}

pub fn administration() {
    let topic = kit::topic("groups", 1);
    let group = kit::name("group");
    let asker = kit::consumer(&[]);
    let admin = kit::admin();
    let delete = || kit::one(admin.delete_groups(&[&group], &kit::options())).map(|_| ());
    kit::fill(&topic, 5, 5, &[]);
    let other = kit::name("other-group");
    commit_alone(&topic, &other);
    {
        let member = kit::consumer(&[("group.id", &group), ("client.id", "rust-suite")]);
        member.subscribe(&[&topic]).expect("subscribe");
        for i in 0..5 {
            assert_eq!(kit::next(&member).offset(), i, "offset");
        }
        member.commit_consumer_state(CommitMode::Sync).expect("commit");
        assert!(listed(&asker, &group), "not listed");
        let want = vec![("rust-suite".to_string(), "/127.0.0.1".to_string())];
        assert_eq!(describe(&asker, &group), ("Stable".to_string(), want), "with a member");
        assert_eq!(delete(), Err(RDKafkaErrorCode::NonEmptyGroup), "delete of a living group");
    }
    assert_eq!(describe(&asker, &group), ("Empty".to_string(), vec![]), "when all left");
    assert_eq!(delete(), Ok(()), "delete");
    assert!(!listed(&asker, &group), "still listed");
    assert!(listed(&asker, &other), "another group is gone");
    assert_eq!(describe(&asker, &other), ("Empty".to_string(), vec![]), "without members");
    assert_eq!(delete(), Err(RDKafkaErrorCode::GroupIdNotFound), "delete of no group");
}
