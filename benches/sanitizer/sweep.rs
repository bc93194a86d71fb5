//! Is the cost proportional to the length? Documents of 50 kB to 500 MB, and the memory of streams.
//!
//! Measures the CPU time of the thread, so that other load on the machine matters little.

#![expect(clippy::print_stdout, reason = "the results go to standard output")]

use std::fs;
use std::hint::black_box;

use glassine_core::sanitize::{Raw, Sanitizer};

use crate::support::connector::{CHUNK, Connector};
use crate::support::pages;

/// How many bytes are sanitized for each length, in as many documents as needed.
const ENOUGH: usize = 500_000_000;
const LENGTHS: [usize; 5] = [50_000, 500_000, 5_000_000, 50_000_000, 500_000_000];
/// The approximate size of a message with its body.
const MESSAGE: usize = 5_600;
/// The most messages on a page of Graph.
const MOST_MESSAGES: usize = 1_000;
const STREAMS: usize = 4_000;

pub(crate) fn run(connector: &Connector) {
    memory(connector, &pages::with_bodies(MOST_MESSAGES / 20));
    for length in LENGTHS {
        let page = pages::with_bodies((length / MESSAGE).min(MOST_MESSAGES));
        let documents = ENOUGH / length;
        let began = nanoseconds_on_core();
        let read: usize = (0..documents).map(|_| sanitize(connector, &page, length)).sum();
        let took = nanoseconds_on_core() - began;
        let rate = 1_000 * u64::try_from(read).unwrap() / took;
        println!("{documents:>6} documents of {length:>11} bytes: {rate:>5} MB/s");
    }
}

/// Sanitizes one page that repeats the messages of `page` up to `length` bytes.
fn sanitize(connector: &Connector, page: &str, length: usize) -> usize {
    const ARRAY: &str = "\"value\":[";
    let (head, messages) = page.split_once(ARRAY).unwrap();
    let messages = messages.strip_suffix("]}").unwrap();
    let mut stream = Stream { sanitizer: connector.sanitizer(), read: 0 };
    stream.feed(head);
    stream.feed(ARRAY);
    stream.feed(messages);
    while stream.read + messages.len() < length {
        stream.feed(",");
        stream.feed(messages);
    }
    stream.feed("]}");
    stream.sanitizer.finish().unwrap();
    stream.read
}

struct Stream {
    sanitizer: Sanitizer,
    read: usize,
}

impl Stream {
    fn feed(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(CHUNK) {
            self.feed_chunk(chunk);
        }
    }

    fn feed_chunk(&mut self, chunk: &[u8]) {
        self.sanitizer.feed(Raw::new(chunk)).unwrap();
        self.read += chunk.len();
        if self.sanitizer.pending() >= CHUNK {
            black_box(self.sanitizer.take());
        }
    }
}

/// The memory of streams in the middle of their pages. They are fed in turn, chunk by chunk, and each holds clean bytes
/// that are not sent yet. The same number of streams is opened before and kept open, so that memory freed by earlier
/// work does not distort the result.
fn memory(connector: &Connector, page: &str) {
    let (part, _) = page.as_bytes().split_at(page.len() - 100);
    let earlier = open_streams(connector, part);
    let before = resident();
    let streams = open_streams(connector, part);
    println!("{STREAMS} streams: {} kB of memory each", resident().saturating_sub(before) / STREAMS);
    drop(black_box((earlier, streams)));
}

fn open_streams(connector: &Connector, part: &[u8]) -> Vec<Stream> {
    let mut streams: Vec<_> =
        (0..STREAMS).map(|_| Stream { sanitizer: connector.sanitizer(), read: 0 }).collect();
    for chunk in part.chunks(CHUNK) {
        streams.iter_mut().for_each(|stream| stream.feed_chunk(chunk));
    }
    streams
}

/// This thread's CPU time from the scheduler (`/proc/thread-self/schedstat`, Linux).
fn nanoseconds_on_core() -> u64 {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    counted.split(' ').next().unwrap().parse().unwrap()
}

/// The process's memory in kB (`/proc/self/status`, Linux).
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
