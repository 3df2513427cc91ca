// SPDX-License-Identifier: Apache-2.0
//! Messages: what goes in comes out, where and when it should.

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use rdkafka::{Offset, TopicPartitionList};

use crate::kit;

/// message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own.
const LARGEST_VALUE: usize = 1048588 - 61 - 11;

pub fn produce() {
    let topic = kit::topic("produce", 3);
    let producer = kit::producer(&[("acks", "all")]);
    let sent: Vec<_> = (0..90)
        .map(|i| {
            let value = format!("value-{}", i);
            let record = FutureRecord::to(&topic)
                .partition(i % 3)
                .key(&b"key"[..])
                .payload(value.as_bytes());
            kit::send(&producer, record)
        })
        .collect();
    for (i, delivery) in sent.into_iter().enumerate() {
        let want = (i as i32 % 3, i as i64 / 3);
        assert_eq!(kit::delivered(delivery), Ok(want), "delivery of {}", i);
    }
    let metadata = kit::consumer(&[]);
    let metadata = metadata.fetch_metadata(Some(&topic), kit::LIMIT).expect("metadata");
    assert_eq!(metadata.topics()[0].partitions().len(), 3, "partitions");
}

pub fn consume_from_beginning() {
    let topic = kit::topic("beginning", 1);
    kit::fill(&topic, 1000, 100, &[]);
    kit::check_filled(&topic, 0, 1000, 100);
    kit::check_filled(&topic, 700, 1000, 100);
    let consumer = kit::consumer(&[]);
    let marks = consumer.fetch_watermarks(&topic, 0, kit::LIMIT);
    assert_eq!(marks, Ok((0, 1000)), "watermarks");
    kit::assign(&consumer, &topic, Offset::Offset(7777));
    assert_eq!(kit::next(&consumer).offset(), 0, "reset from out of range");
}

pub fn consume_from_time() {
    const BASE: i64 = 1_700_000_000_000;
    let topic = kit::topic("time", 1);
    let producer = kit::producer(&[]);
    // Ten batches, so that an answer lies within one of several.
    for begin in (0..100).step_by(10) {
        let batch: Vec<_> = (begin..begin + 10)
            .map(|i: i64| {
                let value = i.to_string();
                let record = kit::record(&topic, value.as_bytes()).timestamp(BASE + i * 1000);
                kit::send(&producer, record)
            })
            .collect();
        for delivery in batch {
            kit::delivered(delivery).expect("delivery");
        }
    }
    let consumer = kit::consumer(&[]);
    for (time, want) in [
        (BASE - 5, Offset::Offset(0)),
        (BASE, Offset::Offset(0)),
        (BASE + 44_500, Offset::Offset(45)),
        (BASE + 45_000, Offset::Offset(45)),
        (BASE + 99_000, Offset::Offset(99)),
        (BASE + 99_001, Offset::End),
    ] {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 0, Offset::Offset(time)).expect("time");
        let found = consumer.offsets_for_times(list, kit::LIMIT).expect("offsets for times");
        assert_eq!(found.elements()[0].offset(), want, "offset for {}", time);
    }
    kit::assign(&consumer, &topic, Offset::Offset(45));
    let message = kit::next(&consumer);
    assert_eq!(message.timestamp().to_millis(), Some(BASE + 45_000), "timestamp");
    assert_eq!(message.payload(), Some(&b"45"[..]), "value");
}

pub fn compression(codec: &str) {
    let topic = kit::topic(&format!("compression-{}", codec), 1);
    kit::fill(&topic, 2000, 500, &[("compression.type", codec), ("linger.ms", "50")]);
    kit::check_filled(&topic, 0, 2000, 500);
    kit::check_filled(&topic, 1234, 2000, 500);
}

pub fn headers() {
    let want: [(&str, Option<&[u8]>); 6] = [
        ("first", Some(b"one")),
        ("binary", Some(&[0, 1, 255])),
        ("empty", Some(b"")),
        ("null", None),
        ("first", Some(b"again")),
        ("\u{fc}nicode", Some(b"x")),
    ];
    let topic = kit::topic("headers", 1);
    let headers = want.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: *value })
    });
    let record = kit::record(&topic, b"v").key(&b"k"[..]).headers(headers);
    kit::delivered(kit::send(&kit::producer(&[]), record)).expect("delivery");

    let consumer = kit::consumer(&[]);
    kit::assign(&consumer, &topic, Offset::Beginning);
    let message = kit::next(&consumer);
    let got: Vec<_> = message
        .headers()
        .expect("headers")
        .iter()
        .map(|header| (header.key, header.value))
        .collect();
    assert_eq!(got, want, "headers");
}

pub fn null_key_value() {
    let topic = kit::topic("null", 1);
    let want: [(Option<&[u8]>, Option<&[u8]>); 5] = [
        (None, Some(b"v")),
        (Some(b"k"), None),
        (None, None),
        (Some(b""), Some(b"")),
        (Some(b"k"), Some(b"v")),
    ];
    let producer = kit::producer(&[]);
    for (key, value) in want {
        let mut record = FutureRecord::to(&topic).partition(0);
        record.key = key;
        record.payload = value;
        kit::delivered(kit::send(&producer, record)).expect("delivery");
    }
    let consumer = kit::consumer(&[]);
    kit::assign(&consumer, &topic, Offset::Beginning);
    for (key, value) in want {
        let message = kit::next(&consumer);
        assert_eq!(message.key(), key, "key at {}", message.offset());
        assert_eq!(message.payload(), value, "value at {}", message.offset());
    }
}

fn large(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn send_large(topic: &str, size: usize) -> Result<(i32, i64), RDKafkaErrorCode> {
    let producer = kit::producer(&[("message.max.bytes", "3000000")]);
    let value = large(size);
    let sent = kit::send(&producer, kit::record(topic, &value));
    kit::delivered(sent)
}

pub fn message_1mb() {
    let topic = kit::topic("1mb", 1);
    for i in 0..3 {
        assert_eq!(send_large(&topic, LARGEST_VALUE), Ok((0, i)), "delivery");
    }
    let consumer = kit::consumer(&[]);
    kit::assign(&consumer, &topic, Offset::Beginning);
    let want = large(LARGEST_VALUE);
    for i in 0..3 {
        let message = kit::next(&consumer);
        assert_eq!(message.offset(), i, "offset");
        assert!(message.payload() == Some(&want), "the bytes of a large value");
    }
}

pub fn message_too_large() {
    let topic = kit::topic("too-large", 1);
    for size in [LARGEST_VALUE + 1, 2_500_000] {
        let refused = Err(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(send_large(&topic, size), refused, "{} bytes", size);
    }
    assert_eq!(send_large(&topic, 10), Ok((0, 0)), "the first delivery after refusals");
}

pub fn idempotent_produce() {
    let topic = kit::topic("idempotent", 1);
    let settings = [("enable.idempotence", "true"), ("linger.ms", "0")];
    kit::fill(&topic, 1000, 50, &settings);
    kit::check_filled(&topic, 0, 1000, 50);
    // A second producer, with an id of its own.
    let producer = kit::producer(&settings);
    let sent = kit::send(&producer, kit::record(&topic, b"last"));
    assert_eq!(kit::delivered(sent), Ok((0, 1000)), "next");
}
