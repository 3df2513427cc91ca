// SPDX-License-Identifier: Apache-2.0
//! What the tests share: clients on $BOOTSTRAP, names of this run, waits. Every wait ends upon what
//! it waits for; LIMIT only bounds it where the broker never answers.

use std::fmt::Debug;
use std::future::Future;
use std::thread::sleep;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

pub const LIMIT: Duration = Duration::from_secs(30);

pub type Admin = AdminClient<DefaultClientContext>;
pub type Settings<'a> = &'a [(&'a str, &'a str)];

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{} is not set", name))
}

/// A name that no other run and no other test has.
pub fn name(what: &str) -> String {
    format!("{}-{}", env("RUN_ID"), what)
}

pub fn client<T: FromClientConfig>(settings: Settings) -> T {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", env("BOOTSTRAP"));
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().expect("client")
}

pub fn producer(settings: Settings) -> FutureProducer {
    client(settings)
}

/// A consumer that begins at the beginning and commits nothing by itself.
pub fn consumer(settings: Settings) -> BaseConsumer {
    let common = [
        ("group.id", "unused"),
        ("auto.offset.reset", "earliest"),
        ("enable.auto.commit", "false"),
        ("check.crcs", "true"),
    ];
    client(&[&common, settings].concat())
}

pub fn admin() -> Admin {
    client(&[])
}

pub fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT))
}

/// The one answer to an admin call about one thing.
pub fn one<T, N>(
    answer: impl Future<Output = KafkaResult<Vec<Result<T, (N, RDKafkaErrorCode)>>>>,
) -> Result<T, RDKafkaErrorCode> {
    let mut all = block_on(answer).expect("admin call");
    assert_eq!(all.len(), 1, "answers");
    all.remove(0).map_err(|(_, code)| code)
}

/// Asks until the answer is the wanted one. A write is answered when the metadata log has it; a
/// broker's reads show it once the broker has replayed that, a moment later.
pub fn becomes<T: PartialEq + Debug>(want: T, what: &str, mut ask: impl FnMut() -> T) {
    let end = Instant::now() + LIMIT;
    let mut got = ask();
    while got != want && Instant::now() < end {
        sleep(Duration::from_millis(5));
        got = ask();
    }
    assert_eq!(got, want, "{}", what);
}

/// Creates a topic and waits until its leader serves every partition. Returns its name.
pub fn topic(what: &str, partitions: i32) -> String {
    let name = name(what);
    let new = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
    one(admin().create_topics(&[new], &options())).expect("create the topic");
    let asker = consumer(&[]);
    for partition in 0..partitions {
        becomes(Ok((0, 0)), "watermarks of a new topic", || {
            asker.fetch_watermarks(&name, partition, LIMIT)
        });
    }
    name
}

/// Puts a message on its way.
pub fn send(producer: &FutureProducer, record: FutureRecord<[u8], [u8]>) -> DeliveryFuture {
    match producer.send_result(record) {
        Ok(delivery) => delivery,
        Err((error, _)) => panic!("not sent: {}", error),
    }
}

/// Waits for the report: the offset, or the broker's refusal.
pub fn delivered(delivery: DeliveryFuture) -> Result<(i32, i64), RDKafkaErrorCode> {
    match block_on(delivery).expect("a delivery report") {
        Ok(where_to) => Ok(where_to),
        Err((KafkaError::MessageProduction(code), _)) => Err(code),
        Err((error, _)) => panic!("delivery: {}", error),
    }
}

pub fn record<'a>(topic: &'a str, value: &'a [u8]) -> FutureRecord<'a, [u8], [u8]> {
    FutureRecord::to(topic).partition(0).payload(value)
}

pub fn assign(consumer: &BaseConsumer, topic: &str, offset: Offset) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, offset).expect("offset");
    consumer.assign(&list).expect("assign");
}

pub fn next(consumer: &BaseConsumer) -> OwnedMessage {
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => return message.detach(),
            Some(Err(error)) => println!("# consumer: {}", error),
            None => (),
        }
    }
    panic!("no message within {:?}", LIMIT);
}

/// The value of message i: its number, then letters that compress well but differ with i.
pub fn value(i: usize, pad: usize) -> Vec<u8> {
    let mut out = format!("{}.", i).into_bytes();
    out.extend((0..pad).map(|p| b'a' + ((i + p / 8) % 26) as u8));
    out
}

/// Produces value(i) for i below count to partition 0, keyless; the reports tell offsets 0, 1, ….
pub fn fill(topic: &str, count: usize, pad: usize, settings: Settings) {
    let producer = producer(settings);
    let sent: Vec<_> = (0..count).map(|i| send(&producer, record(topic, &value(i, pad)))).collect();
    for (i, delivery) in sent.into_iter().enumerate() {
        assert_eq!(delivered(delivery), Ok((0, i as i64)), "delivery of {}", i);
    }
}

/// Reads [from, count) of what `fill` wrote.
pub fn check_filled(topic: &str, from: usize, count: usize, pad: usize) {
    let consumer = consumer(&[]);
    assign(&consumer, topic, Offset::Offset(from as i64));
    for i in from..count {
        let message = next(&consumer);
        assert_eq!(message.offset(), i as i64, "offset");
        assert!(message.payload() == Some(&value(i, pad)), "value at offset {}", i);
    }
}
