// SPDX-License-Identifier: Apache-2.0
//! The suite of the Rust crate rdkafka: runs the tests, all or the one named by an argument, and
//! prints a line each. A test fails by panicking; the panic's message is the reason.

mod admin;
mod data;
mod groups;
mod kit;

use std::any::Any;
use std::panic::catch_unwind;
use std::time::Instant;

const TESTS: &[(&str, fn())] = &[
    ("produce", data::produce),
    ("consume-from-beginning", data::consume_from_beginning),
    ("consume-from-time", data::consume_from_time),
    ("group-commit-resume", groups::commit_resume),
    ("group-balance", groups::balance),
    ("compression-gzip", || data::compression("gzip")),
    ("compression-snappy", || data::compression("snappy")),
    ("compression-lz4", || data::compression("lz4")),
    ("compression-zstd", || data::compression("zstd")),
    ("headers", data::headers),
    ("null-key-value", data::null_key_value),
    ("message-1mb", data::message_1mb),
    ("message-too-large", data::message_too_large),
    ("idempotent-produce", data::idempotent_produce),
    ("admin-topics", admin::topics),
    ("admin-create-partitions", admin::create_partitions),
    ("admin-configs", admin::configs),
    ("admin-groups", groups::administration),
];

fn reason(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => match other.downcast::<&str>() {
            Ok(text) => text.to_string(),
            Err(_) => "a panic without words".to_string(),
        },
    };
    text.replace('\n', " ")
}

fn main() {
    let only = std::env::args().nth(1);
    println!("# librdkafka {}", rdkafka::util::get_rdkafka_version().1);
    for (name, test) in TESTS {
        if only.as_deref().map_or(true, |only| only == *name) {
            let begin = Instant::now();
            let line = match catch_unwind(test) {
                Ok(()) => format!("ok {}", name),
                Err(panic) => format!("not ok {} {}", name, reason(panic)),
            };
            println!("# {}: {:.1} s", name, begin.elapsed().as_secs_f64());
            println!("{}", line);
        }
    }
}
