// SPDX-License-Identifier: Apache-2.0
//! Topics, partitions and configs by the admin client, and what it is refused.

use futures_executor::block_on;
use rdkafka::admin::{
    AlterConfig, ConfigResource, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use crate::kit::{self, Admin};

type Outcome = Result<(), RDKafkaErrorCode>;

fn create(admin: &Admin, topic: NewTopic) -> Outcome {
    kit::one(admin.create_topics(&[topic], &kit::options())).map(|_| ())
}

fn new(name: &str, partitions: i32, replicas: i32) -> NewTopic<'_> {
    NewTopic::new(name, partitions, TopicReplication::Fixed(replicas))
}

fn delete(admin: &Admin, name: &str) -> Outcome {
    kit::one(admin.delete_topics(&[name], &kit::options())).map(|_| ())
}

/// The partitions of a topic as Metadata for all topics tells them.
fn partitions(asker: &BaseConsumer, name: &str) -> Option<usize> {
    let metadata = asker.fetch_metadata(None, kit::LIMIT).expect("metadata");
    let topic = metadata.topics().iter().find(|topic| topic.name() == name)?;
    for partition in topic.partitions() {
        assert_eq!(partition.leader(), 1, "leader");
        assert_eq!(partition.replicas(), [1], "replicas");
        assert_eq!(partition.isr(), [1], "isr");
    }
    Some(topic.partitions().len())
}

pub fn topics() {
    let name = kit::name("admin");
    let other = kit::name("other");
    let admin = kit::admin();
    let asker = kit::consumer(&[]);
    assert_eq!(create(&admin, new(&name, 4, 1)), Ok(()), "create");
    kit::becomes(Some(4), "partitions", || partitions(&asker, &name));
    for (want, topic) in [
        (RDKafkaErrorCode::TopicAlreadyExists, new(&name, 4, 1)),
        (RDKafkaErrorCode::InvalidTopic, new("bad name!", 1, 1)),
        (RDKafkaErrorCode::InvalidReplicationFactor, new(&other, 1, 2)),
        (RDKafkaErrorCode::InvalidConfig, new(&other, 1, 1).set("retention.ms", "soon")),
        (RDKafkaErrorCode::InvalidConfig, new(&other, 1, 1).set("no.such.key", "1")),
    ] {
        let what = format!("{:?}", topic);
        assert_eq!(create(&admin, topic), Err(want), "create of {}", what);
    }
    let only_validate = kit::options().validate_only(true);
    let validated = kit::one(admin.create_topics(&[new(&other, 1, 1)], &only_validate));
    assert_eq!(validated, Ok(other.clone()), "validate only");
    assert_eq!(partitions(&asker, &other), None, "only validated, but there");

    assert_eq!(delete(&admin, &name), Ok(()), "delete");
    kit::becomes(None, "deleted, but listed", || partitions(&asker, &name));
    let unknown = Err(RDKafkaErrorCode::UnknownTopicOrPartition);
    assert_eq!(delete(&admin, &name), unknown, "delete of no topic");
    // The name is free again, and what was in the old topic is not in the new one.
    let again = kit::topic("admin", 1);
    kit::fill(&again, 5, 5, &[]);
    kit::check_filled(&again, 0, 5, 5);
}

pub fn create_partitions() {
    let name = kit::topic("grow", 2);
    let admin = kit::admin();
    let asker = kit::consumer(&[]);
    let grow = |name: &str, total| {
        let more = NewPartitions::new(name, total);
        kit::one(admin.create_partitions(&[more], &kit::options())).map(|_| ())
    };
    assert_eq!(grow(&name, 5), Ok(()), "more");
    kit::becomes(Some(5), "partitions", || partitions(&asker, &name));
    assert_eq!(grow(&name, 3), Err(RDKafkaErrorCode::InvalidPartitions), "fewer");
    assert_eq!(grow(&name, 5), Err(RDKafkaErrorCode::InvalidPartitions), "as many");
    let unknown = Err(RDKafkaErrorCode::UnknownTopicOrPartition);
    assert_eq!(grow(&kit::name("none"), 5), unknown, "no topic");
}

/// A topic's configs; without entries for what is no topic, as the crate drops that error.
fn describe(admin: &Admin, topic: &str) -> ConfigResource {
    let resource = ResourceSpecifier::Topic(topic);
    let mut all = block_on(admin.describe_configs(&[resource], &kit::options())).expect("describe");
    assert_eq!(all.len(), 1, "answers");
    all.remove(0).expect("describe one topic")
}

/// A topic's value of a key, and whether it is the default.
fn get(admin: &Admin, topic: &str, key: &str) -> Option<(String, bool)> {
    let config = describe(admin, topic);
    let entry = config.get(key)?;
    assert_eq!(entry.source == ConfigSource::Default, entry.is_default, "source of {}", key);
    Some((entry.value.clone().unwrap_or_default(), entry.is_default))
}

fn value_becomes(admin: &Admin, topic: &str, key: &str, want: &str, is_default: bool) {
    let want = Some((want.to_string(), is_default));
    kit::becomes(want, key, || get(admin, topic, key));
}

/// AlterConfigs, which sets the whole: what is not named goes back to its default. The crate drops
/// the error of a single resource, so what was refused shows only by the value that stays.
fn set(admin: &Admin, topic: &str, key: &str, value: &str) {
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(key, value);
    let answer = block_on(admin.alter_configs(&[change], &kit::options())).expect("alter");
    assert_eq!(answer.len(), 1, "answers");
}

pub fn configs() {
    let topic = kit::topic("configs", 1);
    let other = kit::topic("configs-after", 1);
    let admin = kit::admin();
    value_becomes(&admin, &topic, "retention.ms", "604800000", true);
    set(&admin, &topic, "retention.ms", "12345");
    value_becomes(&admin, &topic, "retention.ms", "12345", false);
    for (i, (key, bad)) in [
        ("retention.ms", "soon"),
        ("retention.ms", "-2"),
        ("cleanup.policy", "burn"),
        ("no.such.key", "1"),
    ]
    .iter()
    .enumerate()
    {
        set(&admin, &topic, key, bad);
        // Had it been taken, it would show before what was set later.
        let later = (777 + i).to_string();
        set(&admin, &other, "retention.ms", &later);
        value_becomes(&admin, &other, "retention.ms", &later, false);
        let stays = Some(("12345".to_string(), false));
        assert_eq!(get(&admin, &topic, "retention.ms"), stays, "after {}={}", key, bad);
    }
    set(&admin, &topic, "cleanup.policy", "compact");
    value_becomes(&admin, &topic, "cleanup.policy", "compact", false);
    value_becomes(&admin, &topic, "retention.ms", "604800000", true);
    assert!(describe(&admin, &kit::name("none")).entries.is_empty(), "describe of no topic");
}
